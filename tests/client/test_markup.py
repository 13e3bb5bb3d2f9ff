"""Markdown, code, folds, spoilers and emoji: drawn as elements, never as the HTML that somebody wrote."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import PHONE, Person
from tests.client.rows import prepare
from tests.client.test_message_tools import LASTING
from tests.client.watch import Watch
from tests.support.server import Server

pytestmark = pytest.mark.browser

LONG = "\n".join(f"line {number}" for number in range(1, 61))
CODE = "def hello(name):\n    # says hello\n    return f'hello {name}'  # <b>\n"
LINES_20_PX = 20 * 22.5
STILL_PX = 3
HEIGHT = "element => element.getBoundingClientRect().height"
TOP = "element => element.getBoundingClientRect().top"
FONT_SIZE = "element => parseFloat(getComputedStyle(element).fontSize)"
COLOURS = "tokens => new Set(tokens.map(token => getComputedStyle(token).color)).size"
DIRECTIONS = "blocks => blocks.map(block => getComputedStyle(block).direction)"


def height(element: Locator) -> float:
    return float(element.evaluate(HEIGHT))


def top(element: Locator) -> float:
    return float(element.evaluate(TOP))


# ---------------------------------------------------------------- Markdown


def test_marked_words_are_elements_and_html_is_text(ann: Person) -> None:
    ann.says("**bold** *it* ~~no~~ `co*de*` <b>b</b> <img src=x onerror=alert(1)> &amp; snake_case_name 2*3*4")
    text = ann.texts
    expect(text).to_have_text("bold it no co*de* <b>b</b> <img src=x onerror=alert(1)> &amp; snake_case_name 2*3*4")
    for element, words in {"strong": "bold", "em": "it", "s": "no", "code": "co*de*"}.items():
        expect(text.locator(element)).to_have_text(words)
    expect(text.locator("b, img")).to_have_count(0)


def test_lists_and_quotes_are_elements(ann: Person) -> None:
    ann.says("> said\n> before\n\n- one\n  1. inner\n- two\nend")
    expect(ann.texts.locator("blockquote")).to_have_text("said before")
    expect(ann.texts.locator("ul > li")).to_have_text(["oneinner", "two"])
    expect(ann.texts.locator("ol > li")).to_have_text("inner")
    expect(ann.texts.locator("p")).to_have_text("end")


def test_a_link_that_looks_like_another_shows_where_it_leads(ann: Person) -> None:
    ann.says("[bank.example](https://evil.example/x) [here](https://a.example) [no](javascript:alert(1))")
    ann.expect_said("bank.example (evil.example) here [no](javascript:alert(1))")
    links = ann.texts.get_by_role("link").all()
    assert [link.get_attribute("href") for link in links] == ["https://evil.example/x", "https://a.example"]


def test_each_block_has_its_own_direction(ann: Person) -> None:
    ann.says("שלום\n\nhello\n\n- שלום\n- hello\n\n> שלום")
    ann.expect_acknowledged()
    expect(ann.texts.locator("p, li, blockquote")).to_have_count(5)
    assert ann.texts.locator("p, li, blockquote").evaluate_all(DIRECTIONS) == ["rtl", "ltr", "rtl", "ltr", "rtl"]


# ---------------------------------------------------------------- spoilers


def test_a_spoiler_is_revealed_by_a_press_and_by_a_key(speaks: Speaks, bo: Person) -> None:
    speaks("ann").says("||the *end*|| ||https://a.example||")
    expect(bo.page.get_by_role("button", name="Show spoiler")).to_have_count(2)
    first, second = bo.page.locator(".spoiler").all()
    link = bo.texts.locator("a")
    link.focus()
    expect(link).not_to_be_focused()
    second.focus()
    bo.page.keyboard.press("Enter")
    expect(second).to_have_class(re.compile("open"))
    link.focus()
    expect(link).to_be_focused()
    second.focus()
    expect(second).to_be_focused()
    expect(first.locator("em")).to_have_css("color", "rgba(0, 0, 0, 0)")
    first.click()
    expect(first.locator("em")).not_to_have_css("color", "rgba(0, 0, 0, 0)")


# ---------------------------------------------------------------- folds


@pytest.fixture
def folded(server: Server, room: str, visit: Visit) -> Person:
    """Opens a page in a room whose last message has 60 lines, on the bottom of the screen. There is another room."""
    prepare(server.database, f"{room}-other", ["hello"])
    prepare(server.database, room, [f"number {number}" for number in range(30)] + [LONG])
    person = visit("ann")
    expect(person.button("Show all")).to_be_in_viewport()
    return person


def test_a_long_message_shows_twenty_lines_and_then_all(folded: Person) -> None:
    text = folded.texts.last
    assert abs(height(text) - LINES_20_PX) < STILL_PX
    before = top(text)
    folded.button("Show all").click()
    expect(folded.button("Show less")).to_be_focused()
    assert height(text) > 2 * LINES_20_PX
    assert abs(top(text) - before) < STILL_PX  # the view did not follow the end of the message
    folded.button("Show less").click()
    expect(folded.button("Show all")).to_be_focused()
    assert abs(height(text) - LINES_20_PX) < STILL_PX
    expect(folded.button("Show all")).to_be_in_viewport()


def test_an_opened_message_stays_open_and_in_its_place(folded: Person, speaks: Speaks, room: str) -> None:
    bo = speaks("bo")
    folded.button("Show all").click()
    text = folded.page.locator(".text", has_text="line 60")
    expect(folded.button("Show less")).to_be_visible()
    before = top(text)
    bo.says("one", "two")
    expect(folded.pill).to_have_text("2 new messages")
    assert abs(top(text) - before) < STILL_PX
    expect(folded.button("Show less")).to_be_attached()
    folded.room(f"{room}-other").click()
    folded.expect_said("hello")
    folded.room(room).click()
    expect(folded.button("Show less")).to_be_attached()


def test_the_focus_is_never_in_a_fold_out_of_sight(server: Server, room: str, visit: Visit) -> None:
    prepare(server.database, room, [f"{LONG}\nhttps://a.example/"])
    ann = visit("ann")
    expect(ann.button("Show all")).to_be_visible()
    ann.texts.get_by_role("link").focus()
    expect(ann.button("Show less")).to_be_attached()
    expect(ann.texts.get_by_role("link")).to_be_in_viewport()


def test_text_that_is_long_on_a_phone_only_folds_there(server: Server, room: str, visit: Visit) -> None:
    prepare(server.database, room, ["word " * 200])
    wide, phone = visit("ann"), visit("bo", **PHONE)
    expect(phone.button("Show all")).to_be_visible()
    expect(wide.texts).to_be_visible()
    expect(wide.button("Show all")).to_be_hidden()
    assert height(phone.button("Show all")) >= 44


# ---------------------------------------------------------------- code


def test_code_has_its_language_and_colours_that_come_later(ann: Person) -> None:
    workers: list[str] = []
    ann.page.on("worker", lambda worker: workers.append(worker.url))
    ann.says("no code")
    ann.expect_said("no code")
    assert workers == []
    ann.says(f"```py\n{CODE}```")
    ann.expect_acknowledged()
    block = ann.page.locator(".code")
    expect(block).to_have_attribute("data-lang", "py")
    expect(block.locator(".language")).to_have_text("py")
    expect(block.locator(".token.kwd").first).to_have_text("def")
    expect(block.locator(".token.cmnt").first).to_contain_text("# says hello")
    assert block.locator("pre").inner_text().rstrip() == CODE.rstrip()
    assert block.locator(".token").evaluate_all(COLOURS) >= 4
    assert len(workers) == 1


def test_code_of_a_language_that_nobody_knows_is_plain(ann: Person) -> None:
    ann.says("```brainf\n+[>+<-]\n```", "```js\nlet a = 1\n```")
    expect(ann.page.locator(".token").first).to_have_text("let")
    expect(ann.page.locator("[data-lang=brainf] pre")).to_have_text("+[>+<-]")
    expect(ann.page.locator("[data-lang=brainf] .token")).to_have_count(0)


@pytest.mark.usefixtures("outage")
def test_code_whose_grammar_cannot_be_loaded_is_plain_and_the_next_is_coloured(ann: Person) -> None:
    ann.page.context.route("**/assets/go-*.js", lambda route: route.abort())
    ann.says("```go\nfunc main() {}\n```", "```js\nlet a = 1\n```")
    expect(ann.page.locator("[data-lang=js] .token").first).to_have_text("let")
    expect(ann.page.locator("[data-lang=go] pre")).to_have_text("func main() {}")
    expect(ann.page.locator("[data-lang=go] .token")).to_have_count(0)


@pytest.mark.parametrize("has_clipboard", [True, False])
def test_code_is_copied(visit: Visit, has_clipboard: bool) -> None:
    ann = visit("ann", permissions=["clipboard-read", "clipboard-write"])
    if not has_clipboard:  # as over plain http
        ann.page.evaluate("Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined })")
    ann.page.evaluate(LASTING)
    ann.says(f"```py\n{CODE}```")
    ann.expect_acknowledged()
    ann.button("Copy code").click()
    expect(ann.button("Copy code")).to_have_text("Copied")
    ann.composer.focus()
    ann.page.keyboard.press("ControlOrMeta+V")
    expect(ann.composer).to_have_value(CODE.rstrip("\n"))


def test_long_code_folds(ann: Person) -> None:
    ann.says("```js\n" + "\n".join(f"let a{number} = {number};" for number in range(40)) + "\n```")
    ann.expect_acknowledged()
    expect(ann.button("Show all")).to_be_visible()
    block = ann.page.locator(".code")
    folded = height(block)
    ann.button("Show all").click()
    expect(ann.button("Show less")).to_be_attached()
    assert height(block) > folded + 15 * 19


# ---------------------------------------------------------------- emoji


def test_emoji_alone_are_large(ann: Person) -> None:
    ann.says("words 🎂", "🎂 👩‍💻", ":tada: :+1:", "🎂🎂🎂🎂🎂🎂🎂")
    ann.expect_said("words 🎂", "🎂 👩‍💻", "🎉 👍", "🎂🎂🎂🎂🎂🎂🎂")
    sizes = ann.texts.evaluate_all(f"texts => texts.map({FONT_SIZE})")
    assert sizes[0] == sizes[3] < sizes[1] == sizes[2]


def test_names_of_emoji_are_drawn_outside_of_code(ann: Person, watch: Watch, server: Server) -> None:
    gemoji = f"{server.url}/assets/gemoji-"
    ann.says("at 10:30:45 `std::io::x`")
    ann.expect_said("at 10:30:45 std::io::x")
    assert not watch.reached(gemoji)
    ann.says("so :smile: `:smile:` :no_such_emoji:")
    expect(ann.texts.last).to_have_text("so 😄 :smile: :no_such_emoji:")
    assert watch.reached(gemoji)


def test_enter_picks_the_first_emoji_and_breaks_no_line(ann: Person) -> None:
    ann.composer.fill("nice ")
    ann.button("Emoji").click()
    ann.page.get_by_role("searchbox", name="Search emoji").fill("rocket")
    expect(ann.button("rocket")).to_be_visible()
    ann.page.keyboard.press("Enter")
    expect(ann.composer).to_have_value("nice 🚀")


def test_the_name_itself_is_found_first_and_marked_as_what_enter_takes(ann: Person) -> None:
    ann.button("Emoji").click()
    best = ann.page.locator(".emoji-grid button").first
    expect(best).to_have_accessible_name("grinning face")
    ann.page.keyboard.type("eyes")
    expect(best).to_have_accessible_name("eyes")
    expect(ann.page.locator(".emoji-picker .hint")).to_have_text("Enter takes 👀 :eyes:")
    shadow = "button => getComputedStyle(button).boxShadow"
    others = ann.page.locator(".emoji-grid button:not(:first-child)")
    assert best.evaluate(shadow) != "none" == others.first.evaluate(shadow)
    ann.page.keyboard.press("ArrowDown")
    assert best.evaluate(shadow) == "none"
    ann.page.keyboard.press("ArrowUp")
    ann.draws_no_more()
    ann.page.get_by_role("searchbox", name="Search emoji").fill("rocket")
    ann.page.keyboard.press("Enter")
    expect(ann.composer).to_have_value("🚀")


def test_an_emoji_is_picked_by_keyboard(ann: Person) -> None:
    ann.composer.fill("a b")
    ann.composer.press("ArrowLeft")
    ann.button("Emoji").click()
    field = ann.page.get_by_role("searchbox", name="Search emoji")
    expect(field).to_be_focused()
    field.fill("cake")
    expect(ann.button("birthday cake")).to_be_visible()
    field.press("ArrowDown")
    for key in ("ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"):
        ann.page.keyboard.press(key)
    field.fill("birthday cake")
    expect(ann.page.locator(".emoji-grid button")).to_have_count(1)
    field.press("ArrowDown")
    expect(ann.button("birthday cake")).to_be_focused()
    ann.page.keyboard.press("Enter")
    expect(ann.composer).to_have_value("a 🎂b")
    expect(ann.composer).to_be_focused()
    expect(ann.page.locator(".emoji-picker")).to_have_count(0)
    ann.composer.press("ControlOrMeta+Z")
    expect(ann.composer).to_have_value("a b")


def test_arrows_move_between_the_emoji(ann: Person) -> None:
    ann.button("Emoji").click()
    buttons = ann.page.locator(".emoji-grid button")
    expect(buttons.first).to_be_visible()
    grid = ann.page.locator(".emoji-grid")
    before = height(grid)
    ann.page.keyboard.press("ArrowDown")
    expect(buttons.first).to_be_focused()
    expect(ann.page.locator(".emoji-picker .hint")).to_have_text("😀 :grinning:")
    assert height(grid) == before
    ann.page.keyboard.press("ArrowRight")
    expect(buttons.nth(1)).to_be_focused()
    ann.page.keyboard.press("ArrowDown")
    ann.page.keyboard.press("ArrowUp")
    expect(buttons.nth(1)).to_be_focused()
    ann.page.keyboard.press("ArrowUp")
    expect(ann.page.get_by_role("searchbox")).to_be_focused()
    ann.page.keyboard.press("ArrowDown")
    ann.page.keyboard.press("c")
    expect(ann.page.get_by_role("searchbox")).to_have_value("c")
    ann.page.keyboard.press("Escape")
    ann.page.keyboard.press("Escape")  # the first one may empty the field
    expect(ann.page.locator(".emoji-picker")).to_have_count(0)


def test_an_emoji_is_picked_on_a_phone(visit: Visit) -> None:
    ann = visit("ann", **PHONE)
    ann.button("Emoji").tap()
    ann.button("grinning face").tap()
    expect(ann.composer).to_have_value("😀")
