"""The key that signs cookies: made once, whole, for its owner's eyes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from handshaker.errors import SettingsInvalid
from webapp import application


def test_processes_that_begin_at_once_sign_with_the_same_whole_key(tmp_path: Path) -> None:
    path, found = tmp_path / "keys" / "web.key", []
    beginning = threading.Barrier(8)

    def begin() -> None:
        beginning.wait()
        found.append(application._secret_key(path))

    processes = [threading.Thread(target=begin) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert (len(found), len(set(found)), len(found[0])) == (8, 1, 32)
    assert [each.name for each in path.parent.iterdir()] == ["web.key"]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("content", [b"", b"short"])
def test_what_is_no_key_signs_no_cookies(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "web.key"
    path.write_bytes(content)
    with pytest.raises(SettingsInvalid):
        application._secret_key(path)
