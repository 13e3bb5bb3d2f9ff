"""People delete what they have said: they are asked once, and hardly a trace is left."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.client.person import Person
from tests.support.server import Server

pytestmark = pytest.mark.browser

RUN_OF_DELETIONS = """async () => {
  const { h, render } = await import("preact");
  const { Chunk, cutIntoChunks } = await import("/client/components/conversation/chunk.js");
  const at = minutes => new Date(Date.UTC(2026, 4, 4, 12, minutes)).toISOString();
  const said = seq => ({ seq, id: `m${seq}`, name: "bo", message: `word ${seq}`, inserted_at: at(seq) });
  const deleted = (seq, by = "bo", minutes = 5) =>
    ({ ...said(seq), message: "", deleted_at: at(seq + minutes), deleted_by: by });
  const rows = [said(37), deleted(38), deleted(39), deleted(40), deleted(41, "mo"), deleted(42, "bo", 0.5), said(43)];
  const place = document.querySelector(".log");
  const props = { today: "", unsaved: "", firstNewSeq: 0, target: 0, room: {} };
  render(cutIntoChunks(rows).map(messages => h(Chunk, { ...props, messages })), place);
}"""


def test_a_message_is_deleted_for_everybody_after_one_question(ann: Person, bo: Person) -> None:
    ann.says("one", "two", "three")
    for person in (ann, bo):
        person.expect_said("one", "two", "three")
    press = ann.page.keyboard.press
    ann.conversation.focus()
    press("ArrowUp")
    press("ArrowUp")
    press("Delete")
    question = ann.page.get_by_role("alertdialog", name="Delete this message?")
    expect(question).to_contain_text("two")
    expect(question).to_contain_text("nobody can bring it back")
    expect(ann.button("Keep it")).to_be_focused()
    press("Escape")
    expect(ann.message("two")).to_be_focused()
    press("Delete")
    press("Tab")
    press("Enter")
    expect(question).to_be_hidden()
    expect(ann.message("three")).to_be_focused()
    ann.expect_said("one", "three")  # it is not a minute old: nothing is left
    bo.expect_said("one", "three")
    expect(bo.announcer).to_have_text("ann deleted a message")
    expect(bo.page.locator(".gone")).to_have_count(0)


def test_a_message_that_somebody_answered_leaves_a_line(ann: Person, bo: Person) -> None:
    ann.says("question")
    bo.message("question").hover()
    bo.button("Reply").click()
    bo.says("answer")
    ann.expect_said("question", "answer")
    ann.message("question").hover()
    ann.button("Delete").click()
    ann.page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(ann.composer).to_be_focused()
    bo.expect_said("answer")
    expect(bo.page.locator(".gone")).to_contain_text("Message deleted")
    expect(bo.message("answer").locator(".quote")).to_contain_text("original deleted")
    bo.reloads()
    expect(bo.page.locator(".gone")).to_contain_text("Message deleted")
    expect(bo.message("answer").locator(".quote")).to_contain_text("original deleted")


class TestOfTheSources:
    """Calls modules of the page, which only the sources have: a visit to them takes twice the CPU."""

    @pytest.fixture
    def server(self, database: Path) -> Iterator[Server]:
        with Server(database, bundle="off") as running:
            yield running

    def test_deletions_that_follow_each_other_are_one_line_which_opens(self, ann: Person) -> None:
        ann.page.evaluate(RUN_OF_DELETIONS)
        line = ann.button("4 messages deleted")
        expect(ann.texts).to_have_text(["word 37", "word 43"])
        expect(ann.page.locator(".gone")).to_have_count(1)
        line.click()
        expect(ann.toolbar).to_be_hidden()  # nothing can be done with several
        expect(line).to_have_attribute("aria-expanded", "true")
        expect(ann.page.locator(".gone p")).to_have_text(["Message deleted"] * 3 + ["Message deleted by a moderator"])
        line.click()
        expect(ann.page.locator(".gone")).to_have_count(1)
