"""Sealing: what a stolen, moved, damaged or rotated blob gives away."""

import base64
import logging
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SealError, StartupError
from bot.storage.sealing import Sealer, load_master_keys, parse_master_keys

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
SECRET = "afk_test_0123456789abcdef"


def _encode(*keys: bytes) -> str:
    return ",".join(base64.b64encode(key).decode() for key in keys)


@given(st.text(), st.text())
def test_what_was_sealed_opens_in_its_own_context(secret: str, context: str) -> None:
    sealer = Sealer([OLD])
    assert sealer.unseal(sealer.seal(secret, context=context), context=context) == secret


@given(st.text(), st.text(), st.text())
def test_a_blob_moved_to_another_context_does_not_open(secret: str, mine: str, theirs: str) -> None:
    sealer = Sealer([OLD])
    blob = sealer.seal(secret, context=mine)
    if mine == theirs:
        theirs += "x"
    with pytest.raises(SealError):
        sealer.unseal(blob, context=theirs)


def test_every_flipped_bit_and_every_cut_is_noticed() -> None:
    sealer = Sealer([OLD])
    blob = sealer.seal(SECRET, context="5:apiframe")
    damaged = [blob[:at] for at in range(len(blob))]
    for bit in range(len(blob) * 8):
        copy = bytearray(blob)
        copy[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(copy))
    for each in damaged:
        with pytest.raises(SealError):
            sealer.unseal(each, context="5:apiframe")


def test_the_blob_is_key_id_nonce_and_ciphertext_and_never_the_same_twice() -> None:
    sealer = Sealer([OLD])
    blobs = {sealer.seal(SECRET, context="x") for _ in range(50)}
    assert len(blobs) == 50
    assert {blob[:4] for blob in blobs} == {bytes.fromhex("630dcd29")}, "the first bytes of SHA-256 of the key"
    assert {len(blob) for blob in blobs} == {4 + 12 + len(SECRET) + 16}
    assert not any(SECRET.encode() in blob for blob in blobs)


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    before, during, after = Sealer([OLD]), Sealer([NEW, OLD]), Sealer([NEW])
    blob = before.seal(SECRET, context="x")
    assert before.is_current(blob)
    assert not during.is_current(blob)
    assert during.unseal(blob, context="x") == SECRET
    renewed = during.seal(SECRET, context="x")
    assert during.is_current(renewed)
    assert after.unseal(renewed, context="x") == SECRET
    with pytest.raises(SealError):
        after.unseal(blob, context="x")


def test_a_check_value_tells_a_wrong_master_key() -> None:
    check = Sealer([OLD]).check_value()
    assert Sealer([OLD]).matches(check)
    assert Sealer([NEW, OLD]).matches(check)
    assert not Sealer([NEW]).matches(check)
    assert not Sealer([OLD]).matches(b"")


def test_a_sealer_never_shows_its_keys() -> None:
    shown = repr(Sealer([OLD, NEW]))
    assert shown == "Sealer(keys=2)"


@pytest.mark.parametrize("keys", [[], [b"short"], [OLD, b""]])
def test_a_sealer_without_proper_keys_is_refused(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(keys)


def test_the_given_value_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(_encode(NEW))
    assert load_master_keys(_encode(OLD, NEW), file, tmp_path) == [OLD, NEW]


def test_a_key_file_is_read_and_nothing_is_generated(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{_encode(NEW)} ,\n {_encode(OLD)}\n")
    file.chmod(0o600)
    assert load_master_keys(None, file, tmp_path / "data") == [NEW, OLD]
    assert not (tmp_path / "data").exists()


def test_the_url_safe_alphabet_is_understood_too() -> None:
    key = b"\xff" * 32
    assert parse_master_keys(base64.urlsafe_b64encode(key).decode()) == [key]


def test_a_key_is_generated_once_for_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    first = load_master_keys(None, None, data)
    assert len(first) == 1
    assert len(first[0]) == 32
    assert load_master_keys(None, None, data) == first
    assert [path.name for path in data.iterdir()] == ["master.key"], "no draft is left"
    assert stat.S_IMODE((data / "master.key").stat().st_mode) == 0o600


def test_two_data_folders_get_different_keys(tmp_path: Path) -> None:
    assert load_master_keys(None, None, tmp_path / "a") != load_master_keys(None, None, tmp_path / "b")


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    gate, found = threading.Barrier(8), list[bytes]()

    def start() -> None:
        gate.wait()
        found.extend(load_master_keys(None, None, tmp_path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_the_new_key_is_on_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, link = os.fsync, os.link

    def spy_fsync(handle: int) -> None:
        steps.append("sync folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "sync file")
        fsync(handle)

    def spy_link(source: str, target: Path) -> None:
        steps.append("name")
        link(source, target)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(os, "link", spy_link)
    load_master_keys(None, None, tmp_path)
    assert steps == ["sync file", "name", "sync folder"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not base64!", "is not valid base64"),
        (b"c2hvcnQ=", "has 5 bytes where 32 are needed"),
        (b"", "holds no key"),
        (b"\xff\xfe", "is not text"),
    ],
)
def test_a_bad_key_file_is_explained_by_name_without_its_content(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(StartupError) as caught:
        load_master_keys(None, file, tmp_path)
    assert str(caught.value).startswith(f"The master key file {file} {reason}")
    assert not content or content.decode("latin-1") not in str(caught.value)


def test_a_bad_given_value_names_the_variable() -> None:
    with pytest.raises(StartupError, match=r"^DARKROOM_MASTER_KEY is not valid base64"):
        load_master_keys("canary", None, Path("unused"))


def test_a_missing_key_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"could not be read: No such file or directory\.$"):
        load_master_keys(None, tmp_path / "nowhere", tmp_path)


def test_a_data_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StartupError, match=r"cannot be made.*is not a folder"):
        load_master_keys(None, None, tmp_path / "file" / "data")


def test_a_key_file_that_others_can_open_is_used_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "key"
    file.write_text(_encode(OLD))
    file.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert load_master_keys(None, file, tmp_path) == [OLD]
    assert "can be opened by other users" in caplog.text
    assert _encode(OLD) not in caplog.text
