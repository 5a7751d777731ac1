"""/privacy: what is kept, taking it along, and erasing it."""

import contextlib
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import Timings
from bot.config import CONTACT_MAX
from bot.datasets.rules import consent_sentence
from bot.policy import Policy, policy_text
from bot.privacy.export import ExportPart
from bot.records.dataset import SubjectKind
from bot.sandbox.rehearsal.faults import Fault
from cogs.privacy.cards import SHOWN_MAX, about_part, policy_card
from cogs.ui.replies import UPLOAD_MAX
from tests.cogs.card_checks import check
from tests.cogs.simulated_guild import Stage, answer_to, board_of, photos, text_of, until
from tests.fakes.waiting import eventually

ERASE = "Erase my data here"


async def test_show_counts_what_is_kept_and_says_for_how_long(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(3))
    text = answer_to(await keyed.use(keyed.ben, "privacy show"))
    assert "• 1 dataset with 3 photos on our disk" in text
    assert "• 0 trainings and 0 LoRAs" in text
    assert "• 1 consent record" in text
    assert "at the latest after 24 hours" in text
    assert "is kept for 365 days for the server's books, after 30 days without your name" in text


async def test_show_counts_nothing_of_others(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(3))
    text = answer_to(await keyed.use(keyed.cleo, "privacy show"))
    assert "• 0 datasets with 0 photos on our disk" in text
    assert "• 0 consent records" in text


async def test_erase_asks_first_then_everything_is_gone_here_and_at_the_provider(keyed: Stage) -> None:
    lora = await keyed.give_lora(keyed.ben)
    await keyed.send_form(keyed.ben, "Rex", photos(3))
    asked = await keyed.use(keyed.ben, "privacy erase")
    assert "It cannot be undone." in answer_to(asked)
    assert keyed.world.provider.loras[lora.remote_id].status == "READY"
    done = await keyed.ben.click(board_of(asked), label="Erase my data here")
    assert "Your photos, jobs, LoRAs and pictures in this server are erased here." in answer_to(done)
    assert "At the providers 1 thing of yours is still to go: I ask until they have answered" in answer_to(done)
    await eventually(lambda: keyed.world.provider.loras[lora.remote_id].status == "ARCHIVED")
    assert list(keyed.world.darkroom.services.datasets._spool._folder.iterdir()) == []
    text = answer_to(await keyed.use(keyed.ben, "privacy show"))
    assert "• 0 datasets with 0 photos on our disk" in text
    assert "• 0 trainings and 0 LoRAs" in text
    assert "None yet." in answer_to(await keyed.use(keyed.ben, "loras list"))


async def test_erase_leaves_other_members_alone(keyed: Stage) -> None:
    await keyed.give_lora(keyed.cleo, "Rex")
    await keyed.ben.click(board_of(await keyed.use(keyed.ben, "privacy erase")), label="Erase my data here")
    assert "**Rex**" in answer_to(await keyed.use(keyed.cleo, "loras list"))


async def test_what_was_only_asked_is_never_called_deleted(keyed: Stage) -> None:
    lora = await keyed.give_lora(keyed.ben)
    keyed.world.provider.faults.next("DELETE /v2/loras/{id}", *[Fault.answer(503)] * 50)
    await keyed.ben.click(board_of(await keyed.use(keyed.ben, "privacy erase")), label="Erase my data here")
    shown = answer_to(await keyed.use(keyed.ben, "privacy receipts"))
    assert "1 of 1 still to be confirmed" in shown
    assert f"**LoRA** `{lora.remote_id}` at Apiframe, because you erased your data" in shown
    assert "archived it (204)" not in shown
    assert "No provider was asked to remove anything of yours" in answer_to(
        await keyed.use(keyed.cleo, "privacy receipts")
    )


async def test_the_receipt_comes_privately_when_everything_is_answered(keyed: Stage) -> None:
    lora = await keyed.give_lora(keyed.ben)
    await keyed.ben.click(board_of(await keyed.use(keyed.ben, "privacy erase")), label="Erase my data here")

    def found() -> list[str]:
        said = [text_of(message) for message in keyed.ben.user.dm_channel.history()]
        return [text for text in said if "### Receipts" in text]

    await until(found)
    (said,) = found()
    assert "All of it is answered." in said
    assert f"`{lora.remote_id}` at Apiframe" in said
    assert "**it has archived it (204)**" in said
    assert "it does not confirm that" in said
    assert "it has archived it (204)" in answer_to(await keyed.ben.user.slash("privacy receipts"))


async def test_old_buttons_of_erased_rows_are_answered_kindly(keyed: Stage) -> None:
    ready = await keyed.train(keyed.ben)
    await keyed.ben.click(board_of(await keyed.use(keyed.ben, "privacy erase")), label="Erase my data here")
    pressed = await keyed.ben.click(ready, label="Make the first picture")
    assert "You have no such LoRA here." in answer_to(pressed)
    for custom_id in ("dr:set:start:1", "dr:set:discard:1", "dr:set:show:1", "dr:training:retry:1", "dr:job:fetch:1"):
        assert answer_to(await keyed.press_id(keyed.ben, custom_id))


async def test_in_a_private_message_one_command_erases_everything_everywhere(keyed: Stage) -> None:
    """For those who have left a server and can no longer use its commands."""
    await keyed.give_lora(keyed.ben)
    keyed.world.provider.faults.next("DELETE /v2/loras/{id}", *[Fault.answer(503)] * 50)
    shown = answer_to(await keyed.ben.user.slash("privacy show"))
    assert "### Kept about you in 1 server" in shown
    assert "1 LoRA" in shown
    asked = board_of(await keyed.ben.user.slash("privacy erase"))
    assert "in all servers" in text_of(asked)
    done = answer_to(await keyed.ben.user.click(asked, label="Erase my data here"))
    assert "Your photos, jobs, LoRAs and pictures in all servers are erased here." in done
    left = answer_to(await keyed.ben.user.slash("privacy show"))
    assert "### Kept about you in 1 server" in left
    assert "• 0 trainings and 0 LoRAs" in left
    assert "• 1 receipt of what the providers were to remove" in left
    assert "• 1 line of servers' books and logs, without your name since an erasure" in left
    again = answer_to(await keyed.ben.user.click(board_of(await keyed.ben.user.slash("privacy erase")), label=ERASE))
    assert "At the providers 1 thing of yours is still to go" in again
    exported = await keyed.ben.user.slash("privacy export")
    assert "Everything that is kept about you" in answer_to(exported)


@pytest.mark.parametrize("place", ["here", "everywhere"])
async def test_the_export_comes_as_a_private_zip(keyed: Stage, place: str) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(3))
    used = keyed.use(keyed.ben, "privacy export") if place == "here" else keyed.ben.user.slash("privacy export")
    exported = await used
    assert "Everything that is kept about you" in answer_to(exported)
    sent = [file.filename for message in [exported.response, *exported.followups] for file in message.attachments]
    assert sent == ["darkroom-export.zip"]
    spool = keyed.world.darkroom.services.datasets._spool._folder
    assert [path.suffix for path in spool.iterdir() if path.suffix in {".zip", ".json"}] == []


async def test_the_export_says_so_when_there_is_nothing(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(3))
    assert "Nothing is kept about you here" in answer_to(await keyed.use(keyed.cleo, "privacy export"))


def test_parts_and_what_was_left_out_are_said() -> None:
    part = ExportPart("darkroom-export-part-1-of-2.zip", Path(), number=1, of=2, left_out=1)
    assert "It comes in 2 ZIPs: unpack them into one folder. 1 file did not fit" in about_part(part)
    assert about_part(replace(part, number=2)) == "Part 2 of 2."


async def test_the_policy_is_shown_with_its_version_which_the_consents_and_the_export_name(keyed: Stage) -> None:
    version = keyed.world.darkroom.services.policy.version
    said = answer_to(await keyed.use(keyed.ben, "privacy policy"))
    assert "deleted at the latest 24 hours after you began" in " ".join(said.split())
    assert f"Version {version}" in said
    assert f"Version {version}" in answer_to(await keyed.ben.user.slash("privacy policy"))
    await keyed.send_form(keyed.ben, "Foxy", photos(3))
    async with contextlib.aclosing(
        keyed.world.darkroom.services.exports.make(keyed.ben.id, {keyed.ben.guild.id: "Here"}, UPLOAD_MAX)
    ) as parts:
        with zipfile.ZipFile((await anext(parts)).path) as archive:
            assert f"version {version}" in archive.read("read-me.txt").decode()
            assert archive.read("privacy-policy.md").decode() == keyed.world.darkroom.services.policy.text
            [consent] = json.loads(archive.read(f"server-{keyed.ben.guild.id}/consents.json"))
    assert consent["Version of the privacy policy"] == version
    assert consent["What you agreed to"] == consent_sentence(SubjectKind.OBJECT, timedelta(hours=24))


def test_the_template_fits_a_card_with_the_longest_contact() -> None:
    text = policy_text(None, "x" * CONTACT_MAX, Timings())
    assert text in check(policy_card(Policy(text, "2026-11-30 12345678"))[0])


def test_a_long_policy_comes_as_a_file() -> None:
    short = Policy("x" * SHOWN_MAX, "2026-11-30 12345678")
    shown, none = policy_card(short)
    assert none == []
    assert short.text in check(shown)
    view, files = policy_card(replace(short, text=short.text + "y"))
    assert files == [("privacy-policy.md", b"x" * SHOWN_MAX + b"y")]
    said = check(view)
    assert "2026-11-30 12345678" in said
    assert "xx" not in said
