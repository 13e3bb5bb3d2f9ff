"""How long a session may do what would outlast it: since it was opened, or since somebody has shown who they are."""

from chatter.accounts.accounts import Accounts
from tests.chatter.accounts.conftest import AWAY, HOME, PASSWORD, People, reason


def test_a_session_is_proven_for_some_minutes_after_it_is_opened_and_after_each_proof(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        signed_in = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        assert signed_in.principal.author is not None
        ann, session = signed_in.principal.author.id, signed_in.principal.secret or 0
        people.clock.move(5 * 60 - 1)
        await accounts.proofs.check(ann, session)
        people.clock.move(1)
        assert await reason(accounts.proofs.check(ann, session)) == "proof"
        assert await reason(accounts.proofs.show_password(ann, session, "guessed wrong")) == "wrong"
        assert await reason(accounts.proofs.check(ann, session)) == "proof"
        await accounts.proofs.show_password(ann, session, PASSWORD)
        people.clock.move(5 * 60 - 1)
        await accounts.proofs.check(ann, session)
        people.clock.move(1)
        assert await reason(accounts.proofs.check(ann, session)) == "proof"

    people.run(scenario, proof_minutes=5.0)


def test_the_use_of_a_session_is_no_proof(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        signed_in = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        assert signed_in.principal.author is not None
        people.clock.move(2 * 3_600)
        assert await accounts.identities.identify(signed_in.session) is not None  # slides
        assert await reason(accounts.proofs.check(signed_in.principal.author.id, signed_in.principal.secret or 0)) == (
            "proof"
        )

    people.run(scenario)


def test_a_proof_is_a_session_of_the_same_account(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        bob = await accounts.signing_in.sign_up("bob", PASSWORD, device=AWAY)
        assert ann.principal.author is not None
        assert await reason(accounts.proofs.check(ann.principal.author.id, bob.principal.secret or 0)) == "gone"

    people.run(scenario)


def test_who_tries_passwords_as_a_proof_waits_as_elsewhere(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        signed_in = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        assert signed_in.principal.author is not None
        ann, session = signed_in.principal.author.id, signed_in.principal.secret or 0
        for _ in range(5):
            assert await reason(accounts.proofs.show_password(ann, session, "guessed wrong")) == "wrong"
        assert await reason(accounts.proofs.show_password(ann, session, PASSWORD)) == "wrong"
        people.clock.move(60)
        await accounts.proofs.show_password(ann, session, PASSWORD)

    people.run(scenario)
