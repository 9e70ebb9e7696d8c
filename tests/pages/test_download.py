"""Downloads: a file outlives its page for a while, and not for ever."""

from __future__ import annotations

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from pages.shared.components import download


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(download.time, "monotonic", lambda: now[0])
    return now


def test_a_file_outlives_its_page_for_a_while(clock, monkeypatch):
    monkeypatch.setattr("streamlit.runtime.media_file_manager._get_session_id", lambda: "visitor")
    storage = MemoryMediaFileStorage("/media")
    manager = MediaFileManager(storage)
    download.keep_downloads(manager)

    def add() -> str:
        url = manager.add(b"weights", download.BYTES, "1.0", "lstm.safetensors", is_for_static_download=True)
        return url.rpartition("/")[2]

    name = add()
    manager.clear_session_refs()  # its page runs again
    for _ in range(5):
        manager.remove_orphaned_files()  # other visitors' scripts end
    assert storage.get_file(name).content == b"weights"
    assert add() == name
    clock[0] += 10 * download.KEEP_SECONDS  # the page stays open
    manager.remove_orphaned_files()
    manager.clear_session_refs()
    for _ in range(5):
        manager.remove_orphaned_files()
    assert storage.get_file(name).content == b"weights"
    clock[0] += download.KEEP_SECONDS + 1
    for _ in range(2):
        manager.remove_orphaned_files()
    with pytest.raises(MediaFileStorageError):
        storage.get_file(name)
