import { effect, untracked } from "@preact/signals";
import { CAME_BACK, farewell } from "./account/farewell.js";
import { askBeforeLoss, bringDrafts, noteLoss, watchIdentity } from "./account/identity.js";
import { hasAnswered, server, watchForAccounts } from "./account/server.js";
import { goOn, watchSession } from "./account/session.js";
import { options, render } from "preact";
import { bringSelection } from "./browser/focus.js";
import { watchLooking } from "./browser/looking.js";
import { databaseName } from "./browser/owner.js";
import { keepOffline } from "./browser/offline.js";
import { followAddress, joinCode, leaveJoin, returnToInvitation, slug, takeFragment } from "./browser/route.js";
import { shrinkForKeyboard } from "./browser/viewport.js";
import { askToLoseWords, openFailure, openLink, openSignIn } from "./components/account/open.js";
import { hasWordsToLose } from "./components/account/words.js";
import { App } from "./components/app.js";
import { typeAnywhere } from "./components/composer/focus.js";
import { putEditsAside } from "./components/composer/edits.js";
import { keepRefusedEdits, restoreEdits } from "./components/composer/restore-edits.js";
import { forMembers } from "./components/for-members.js";
import { goTo } from "./components/go-to.js";
import { giveBackTyped } from "./components/held-keys.js";
import { listenForKeys } from "./components/palette/shortcuts.js";
import { openJoin } from "./components/room-dialogs/open.js";
import { watchPanel } from "./components/panel.js";
import { watchDrawer } from "./components/sidebar/drawer.js";
import { showToast } from "./components/toast.js";
import { Connection, jitter, keepConnected } from "./connection.js";
import { html } from "./html.js";
import { followName, isSignedIn, me, name, presentName } from "./me.js";
import { Outbox } from "./outbox.js";
import { isRemoved } from "./memberships/removed.js";
import { followMessageLinks } from "./permalinks.js";
import { checkWhilePolling } from "./polling.js";
import { Room } from "./room/room.js";
import { addOpened, refreshIfOfUse, watchRooms } from "./rooms/list.js";
import { watchTime } from "./time.js";
import { watchUnread } from "./rooms/unread.js";
import { VisitedRooms } from "./visited-rooms.js";

/** Pause before what could not be loaded is tried again. */
const RETRY_MS = 5000;

followAddress();
returnToInvitation();
const brought = takeFragment();
const connection = new Connection("/socket");
/** What is not acknowledged. @type {import("./visited-rooms.js").Outboxes} */
const outboxes = { posts: new Outbox(databaseName("posts")), operations: new Outbox(databaseName("operations")) };
const visited = new VisitedRooms(
  slug,
  presentName,
  (room) =>
    new Room(
      connection.socket,
      room,
      () => name.peek(),
      outboxes.posts.of(room),
      outboxes.operations.of(room),
      () => me.peek().author,
    ),
  isRemoved,
);
const { current, unsent } = visited;

/** Adopts what is not sent at the start, and whenever a page may have gone meanwhile. */
function adoptUnsent() {
  visited.adopt(outboxes);
  effect(() => {
    if (connection.state.value === "open") visited.adopt(outboxes);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") visited.adopt(outboxes);
  });
}

/** Keeps the list of rooms at the side up to date with what this page does. */
function listOpened() {
  effect(() => [current.value.slug, ...unsent.value.keys()].forEach(addOpened));
  effect(() => {
    // Once it is known whether one is let in, also at the start: before that a lost server would be asked.
    if (["joined", "refused"].includes(current.value.state.value)) untracked(refreshIfOfUse);
  });
}

/** Loads what follows the rooms of somebody with an account. It is tried again as long as there is no connection. */
async function followRooms() {
  try {
    (await forMembers()).followMemberships(connection.socket, visited, outboxes, goTo);
  } catch {
    setTimeout(followRooms, jitter(RETRY_MS));
  }
}

/** Opens the dialog for what the address brought. @param {ReturnType<typeof takeFragment>} brought */
function useFragment({ link, failure, back }) {
  if (link) openLink(link);
  else if (failure) openFailure(failure);
  else if (back) farewell.value = CAME_BACK;
}

/** Opens what the person is invited to. Who has no account makes one with an invite, where that is possible. @param {string} invite */
async function showInvitation(invite) {
  if (!invite || isSignedIn.peek()) return void (joinCode() && openJoin(joinCode()));
  await hasAnswered;
  if (server.peek()) return openSignIn({ face: "up", invite });
  leaveJoin();
  showToast("There are no accounts on this server, so nobody needs an invite");
}

// Draws once a frame, however many messages come in. A hidden page gets no frames, so a timer draws it.
options.debounceRendering = (/** @type {() => void} */ draw) => {
  if (document.visibilityState === "hidden") setTimeout(draw, 50);
  else requestAnimationFrame(draw);
};

followName();
watchLooking();
watchIdentity(() => goOn(connection));
watchSession(connection, current);
watchForAccounts(current);
askBeforeLoss((way) => askToLoseWords(unsent.peek(), way));
noteLoss(() => hasWordsToLose(visited));
bringDrafts(() => visited.makeDrafts());
effect(() => void (isSignedIn.value && untracked(followRooms)));
followMessageLinks(current);
restoreEdits(current);
keepRefusedEdits(current);
addEventListener("pagehide", putEditsAside);
adoptUnsent();
listOpened();
connection.connect();
keepConnected(connection);
checkWhilePolling(connection, current);
watchRooms();
typeAnywhere();
bringSelection();
watchTime();
watchUnread(current);
shrinkForKeyboard();
watchDrawer();
watchPanel();
listenForKeys();
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.replaceChildren(); // the shell of index.html
render(html`<${App} connection=${connection} current=${current} unsent=${unsent} />`, root);
keepOffline();
giveBackTyped();
useFragment(brought);
effect(() => {
  const mayFollow = isSignedIn.value || !brought.failure; // who signs in, and keeps the page, may follow it then
  untracked(() => mayFollow && showInvitation(brought.invite));
});
addEventListener("hashchange", () => {
  const next = takeFragment();
  useFragment(next);
  if (next.invite) showInvitation(next.invite);
});
