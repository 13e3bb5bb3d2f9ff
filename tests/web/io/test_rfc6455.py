"""The framing of RFC 6455 without I/O: bytes in, messages out."""

import contextlib
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.accelerated import IMPLEMENTATIONS, use
from tests.support.phoenix_client import header
from tests.support.steps import Buffer, Bytes, Counter
from web import accelerator
from web.io import rfc6455
from web.io.rfc6455 import FRAGMENT, FrameReader, Message, Opcode, ProtocolError, close_code, unmask

LIMIT = 300
MASK = bytes.fromhex("37fa213d")
DATA_OPCODES = [Opcode.TEXT, Opcode.BINARY]
CONTROL_OPCODES = [Opcode.CLOSE, Opcode.PING, Opcode.PONG]

no_deadline = settings(deadline=None)


@pytest.fixture(params=IMPLEMENTATIONS, scope="module", autouse=True)
def implementation(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs each test on Python and on C."""
    with pytest.MonkeyPatch.context() as patch:
        for function in use(request.param, "messages"):
            patch.setattr(rfc6455, "messages", function)
            yield request.param


masks = st.binary(min_size=4, max_size=4)


def client_frame(opcode: int, data: bytes = b"", *, final: bool = True, reserved: int = 0, mask: bytes = MASK) -> bytes:
    """Builds a frame as a client sends it; an empty mask leaves it unmasked."""
    start = header(opcode, len(data), final=final, reserved=reserved, masked=bool(mask))
    return start + mask + (masked(data, mask) if mask else data)


def masked(data: bytes, mask: bytes) -> bytes:
    """Masks byte by byte, as section 5.3 defines it."""
    return bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


def outcome(pieces: Iterable[bytes], limit: int = LIMIT) -> tuple[list[Message], int | None]:
    """Returns the messages in `pieces`, and the close code of the error behind them."""
    reader, messages = FrameReader(limit), list[Message]()
    try:
        for piece in pieces:
            messages.extend(message for message in reader.feed(piece) if message is not FRAGMENT)  # up to an error
    except ProtocolError as error:
        return messages, error.code
    return messages, None


def refusal(data: bytes, limit: int = LIMIT) -> int | None:
    """Returns the close code that `data` causes."""
    return outcome([data], limit)[1]


@st.composite
def splits(draw: st.DrawFn, stream: bytes) -> list[bytes]:
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    return [stream[start:end] for start, end in pairwise([0, *cuts, len(stream)])]


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Generates frames, most of them valid, with up to 12 random bytes behind them."""
    frames = draw(
        st.lists(
            st.builds(
                client_frame,
                st.sampled_from([*Opcode, *Opcode, 3, 11]),
                st.one_of(st.binary(max_size=10), st.text(max_size=5).map(str.encode), st.binary(max_size=LIMIT + 1)),
                final=st.sampled_from([True, True, False]),
                reserved=st.sampled_from([0, 0, 0, 0, 4]),
                mask=st.one_of(masks, masks, masks, st.just(b"")),
            ),
            max_size=6,
        )
    )
    return b"".join(frames) + draw(st.binary(max_size=12))


@no_deadline
@given(st.data(), st.one_of(streams(), st.binary(max_size=60)))
def test_any_split_of_any_bytes_gives_the_same_messages_and_the_same_error(data: st.DataObject, stream: bytes) -> None:
    whole = outcome([stream])
    assert whole[1] in {None, 1002, 1007, 1009}
    assert outcome(data.draw(splits(stream))) == whole
    assert outcome(bytes([byte]) for byte in stream) == whole


@no_deadline
@given(st.lists(st.tuples(st.sampled_from(DATA_OPCODES), st.text(max_size=100)), max_size=8))
def test_messages_come_whole_and_in_order(said: list[tuple[Opcode, str]]) -> None:
    messages = [(opcode, text.encode()) for opcode, text in said]
    stream = b"".join(client_frame(*message) for message in messages)
    assert outcome([stream], limit=1_000) == (messages, None)


@no_deadline
@given(st.data(), st.sampled_from(DATA_OPCODES), st.text(max_size=60), st.sampled_from(CONTROL_OPCODES))
def test_fragments_are_joined_and_control_frames_between_them_come_first(
    data: st.DataObject, opcode: Opcode, text: str, control: Opcode
) -> None:
    first, *rest = data.draw(splits(text.encode()))
    frames = [client_frame(opcode, first, final=not rest)]
    for piece in rest:
        frames += [
            client_frame(control, b"between"),
            client_frame(Opcode.CONTINUATION, piece, final=len(frames) == 2 * len(rest) - 1),
        ]
    controls = [(control, b"between")] * len(rest)
    assert outcome([b"".join(frames)]) == ([*controls, (opcode, text.encode())], None)


@no_deadline
@given(st.binary(max_size=100), masks)
def test_unmasking_equals_the_byte_by_byte_definition_of_the_rfc(data: bytes, mask: bytes) -> None:
    assert unmask(data, mask) == masked(data, mask)
    assert unmask(unmask(data, mask), mask) == data


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_lengths_of_each_encoding_are_read(size: int) -> None:
    assert outcome([client_frame(Opcode.BINARY, bytes(size))], limit=65_536) == (
        [(Opcode.BINARY, bytes(size))],
        None,
    )


@pytest.mark.parametrize(
    "stream",
    [
        client_frame(Opcode.TEXT, b"x", mask=b""),
        *(client_frame(opcode, b"x") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        *(client_frame(Opcode.TEXT, b"x", reserved=bits) for bits in range(1, 8)),
        *(client_frame(opcode, b"x", final=False) for opcode in CONTROL_OPCODES),
        *(client_frame(opcode, bytes(126)) for opcode in CONTROL_OPCODES),
        *(client_frame(opcode, bytes(65_536)) for opcode in CONTROL_OPCODES),
        client_frame(Opcode.CONTINUATION, b"x"),
        client_frame(Opcode.TEXT, b"a", final=False) + client_frame(Opcode.TEXT, b"b"),
        client_frame(Opcode.TEXT, b"a", final=False) + client_frame(Opcode.BINARY, b"b", final=False),
    ],
    ids=lambda stream: stream[:2].hex(),
)
def test_a_frame_that_breaks_the_protocol_is_1002(stream: bytes) -> None:
    assert refusal(stream) == 1002


@pytest.mark.parametrize("text", [b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"ok\xc0\x80"])
def test_text_that_is_not_utf_8_is_1007_and_binary_data_may_be_anything(text: bytes) -> None:
    assert refusal(client_frame(Opcode.TEXT, text)) == 1007
    fragments = client_frame(Opcode.TEXT, text, final=False) + client_frame(Opcode.CONTINUATION)
    assert refusal(fragments) == 1007
    assert refusal(client_frame(Opcode.BINARY, text)) is None


def test_messages_before_an_error_are_returned() -> None:
    stream = client_frame(Opcode.TEXT, b"good") + client_frame(3) + client_frame(Opcode.TEXT, b"after")
    assert outcome([stream]) == ([(Opcode.TEXT, b"good")], 1002)


@pytest.mark.parametrize("opcode", DATA_OPCODES)
def test_a_message_of_the_limit_passes_and_one_more_byte_is_1009(opcode: Opcode) -> None:
    assert outcome([client_frame(opcode, b"x" * LIMIT)]) == ([(opcode, b"x" * LIMIT)], None)
    assert refusal(client_frame(opcode, b"x" * (LIMIT + 1))) == 1009


@pytest.mark.parametrize("size", [LIMIT + 1, 65_536, 2**63 - 1, 2**64 - 1])
def test_a_message_that_is_too_large_is_refused_at_its_header(size: int) -> None:
    assert refusal(header(Opcode.BINARY, size)) == 1009


def test_the_limit_counts_all_fragments_of_one_message() -> None:
    half = client_frame(Opcode.BINARY, bytes(LIMIT // 2), final=False)
    assert refusal(half + client_frame(Opcode.CONTINUATION, bytes(LIMIT // 2 + 1))) == 1009
    message = half + client_frame(Opcode.CONTINUATION, bytes(LIMIT // 2))
    assert refusal(message * 3) is None


def test_a_control_frame_between_fragments_does_not_count_towards_the_limit() -> None:
    stream = [
        client_frame(Opcode.BINARY, bytes(LIMIT), final=False),
        client_frame(Opcode.PING, bytes(125)),
        client_frame(Opcode.CONTINUATION),
    ]
    assert refusal(b"".join(stream)) is None


@pytest.mark.parametrize(
    "endless",
    [
        client_frame(Opcode.BINARY, bytes(1_000)),
        client_frame(Opcode.PING, bytes(125)),
        client_frame(Opcode.CONTINUATION, final=False),
    ],
    ids=["messages", "pings", "empty fragments"],
)
def test_memory_stays_bounded_in_an_endless_stream(endless: bytes) -> None:
    reader = FrameReader(1_000)
    list(reader.feed(client_frame(Opcode.BINARY, bytes(10), final=False) if endless[0] == 0 else b""))
    piece = endless * 100
    tracemalloc.start()
    try:
        for _ in range(200):
            for _message in reader.feed(piece):
                pass
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * len(piece) + 100_000  # of 200 pieces


def test_a_message_that_arrives_slowly_uses_no_more_memory_than_its_size() -> None:
    reader = FrameReader(1_000_000)
    tracemalloc.start()
    try:
        assert list(reader.feed(header(Opcode.BINARY, 1_000_000) + MASK)) == []
        for _ in range(999):
            assert list(reader.feed(bytes(1_000))) == []
        now, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert now < 1_300_000


@pytest.mark.parametrize("size", [1_000_000, 4_000_000])
@pytest.mark.parametrize("piece", [16_384, 1_000, 97])
def test_a_large_message_is_copied_a_few_times_however_small_its_pieces(
    size: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rfc6455, "bytearray", Buffer, raising=False)
    reader, stream = FrameReader(size), Bytes(header(Opcode.BINARY, size) + MASK + bytes(size))
    pieces = [Bytes(stream[at : at + piece]) for at in range(0, len(stream), piece)]
    messages: list[list[Message]] = []
    steps = Counter.of(lambda: messages.extend(list(reader.feed(each)) for each in pieces))
    assert [len(message) for _opcode, message in chain(*messages)] == [size]
    assert steps < 10 * size


HOSTILE = [
    client_frame(Opcode.CONTINUATION, final=False),
    client_frame(Opcode.PING),
    client_frame(Opcode.BINARY, b"x"),
    client_frame(Opcode.PING, bytes(125)),
    client_frame(Opcode.BINARY, bytes(126)),
    client_frame(Opcode.BINARY, bytes(40_000)),
]


@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4), st.sampled_from([7, 250, 16_384]))
def test_64_kilobytes_of_any_frames_are_read_in_as_many_steps(frames: list[bytes], piece: int) -> None:
    stream = client_frame(Opcode.BINARY, final=False) if HOSTILE[0] in frames else b""
    while len(stream) < 65_536:
        stream += b"".join(frames)
    reader = FrameReader(65_536)

    def read() -> None:
        for at in range(0, len(stream), piece):
            for _message in reader.feed(Bytes(stream[at : at + piece])):
                pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rfc6455, "bytearray", Buffer, raising=False)
        steps = Counter.of(lambda: _until_refused(read))
    assert steps < 20 * len(stream)


def _until_refused(read: Callable[[], None]) -> None:
    with contextlib.suppress(ProtocolError):
        read()


# ---------------------------------------------------------------- readers that stop in the middle


@given(st.data(), st.lists(st.text(max_size=20), max_size=12))
def test_an_iterator_that_is_left_in_the_middle_loses_nothing_and_cuts_nothing_wrongly(
    data: st.DataObject, texts: list[str]
) -> None:
    reader, messages = FrameReader(LIMIT), list[Message]()
    for piece in data.draw(splits(b"".join(client_frame(Opcode.TEXT, text.encode()) for text in texts))):
        messages += islice(reader.feed(piece), data.draw(st.integers(0, 2)))
    messages += reader.feed(b"")
    assert messages == [(Opcode.TEXT, text.encode()) for text in texts]


def test_two_iterators_share_what_is_there() -> None:
    reader = FrameReader(LIMIT)
    first = reader.feed(client_frame(Opcode.TEXT, b"1") + client_frame(Opcode.TEXT, b"2"))
    assert next(first) == (Opcode.TEXT, b"1")
    second = reader.feed(client_frame(Opcode.TEXT, b"3"))
    assert [next(second), next(first)] == [(Opcode.TEXT, b"2"), (Opcode.TEXT, b"3")]
    assert [*first, *second] == []


def test_what_is_fed_counts_also_where_nobody_looks_at_the_messages() -> None:
    reader, stream = FrameReader(LIMIT), client_frame(Opcode.TEXT, b"hello")
    reader.feed(stream[:5])
    reader.feed(stream[5:])
    assert list(reader.feed(b"")) == [(Opcode.TEXT, b"hello")]


def test_after_an_error_nothing_more_is_read() -> None:
    reader = FrameReader(LIMIT)
    for _ in range(2):
        with pytest.raises(ProtocolError):
            list(reader.feed(client_frame(3) + client_frame(Opcode.TEXT, b"after")))


texts = st.one_of(
    st.text(max_size=200),
    st.text("aж☕", max_size=200),
    st.integers(0, 70_000).map("x".__mul__),
    st.binary(max_size=200),
)


@st.composite
def talk(draw: st.DrawFn) -> bytes:
    """Generates mostly text messages of one frame, of any size, with some bytes changed."""
    stream = bytearray()
    for said in draw(st.lists(texts | st.binary(max_size=200), max_size=6)):
        data = said.encode() if isinstance(said, str) else said
        stream += client_frame(Opcode.TEXT, data, mask=draw(masks))
    for at in draw(st.lists(st.integers(0, max(0, len(stream) - 1)), max_size=2)):
        stream[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
    return bytes(stream)


def story(function: Callable[[FrameReader], Iterator[Message]], pieces: list[tuple[bytes, int]]) -> list[object]:
    """Returns all that is seen of a reader that is fed each piece and then asked for so many messages."""
    seen: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rfc6455, "messages", function)
        reader = FrameReader(66_000)
        for piece, wanted in [*pieces, (b"", 100), (b"", 100)]:
            iterator = reader.feed(piece)
            try:
                seen += [*islice(iterator, wanted), "enough"]
            except ProtocolError as error:
                seen += [str(error), error.code, next(iterator, None)]
    return seen


@no_deadline
@given(st.data(), st.one_of(talk(), streams(), st.binary(max_size=60)))
def test_c_cuts_whatever_comes_as_python_does(implementation: str, data: st.DataObject, stream: bytes) -> None:
    pieces = [(piece, data.draw(st.integers(0, 4))) for piece in data.draw(splits(stream))]
    for function in use(implementation, "messages"):
        seen, expected = story(function, pieces), story(accelerator.PYTHON["messages"], pieces)
        assert seen == expected
        assert [message[0] for message in seen if isinstance(message, tuple)] == [
            message[0] for message in expected if isinstance(message, tuple)
        ]


def test_nothing_is_held_of_what_was_cut() -> None:
    reader, stream = FrameReader(LIMIT), client_frame(Opcode.TEXT, b"hello") + client_frame(Opcode.PING) + b"\x81"
    before = sys.getrefcount(reader), sys.getrefcount(stream), sys.getrefcount(rfc6455.TEXT)
    for _ in range(100):
        first, *_rest = reader.feed(stream)
        assert first[0] is rfc6455.TEXT
        reader = FrameReader(LIMIT)
        del first, _rest
    assert (sys.getrefcount(reader), sys.getrefcount(stream), sys.getrefcount(rfc6455.TEXT)) == before


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", 1000),
        (b"\x03\xe8", 1000),
        (b"\x03\xe8bye", 1000),
        (b"\x03\xe9", 1001),
        (b"\x03\xf4", 1012),
        (b"\x0b\xb8", 3000),
        (b"\x0f\xa0", 4000),
        (b"\x13\x87" + "до".encode(), 4999),
    ],
)
def test_a_close_frame_says_its_code(data: bytes, code: int) -> None:
    assert close_code(data) == code


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535])
def test_a_reserved_close_code_is_1002(code: int) -> None:
    with pytest.raises(ProtocolError) as refused:
        close_code(code.to_bytes(2))
    assert refused.value.code == 1002


@pytest.mark.parametrize(("data", "code"), [(b"\x03", 1002), (b"\x03\xe8\xff", 1007)])
def test_half_a_close_code_is_1002_and_a_reason_that_is_not_utf_8_is_1007(data: bytes, code: int) -> None:
    with pytest.raises(ProtocolError) as refused:
        close_code(data)
    assert refused.value.code == code


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
@pytest.mark.parametrize("opcode", Opcode)
def test_the_server_sends_each_message_as_one_final_unmasked_frame(opcode: Opcode, size: int) -> None:
    data = b"x" * size
    assert rfc6455.frame(opcode, data) == header(opcode, size, masked=False) + data


def test_the_servers_close_frame_has_only_the_code() -> None:
    assert rfc6455.close_frame(rfc6455.CloseCode.SERVICE_RESTART) == bytes.fromhex("880203f4")
