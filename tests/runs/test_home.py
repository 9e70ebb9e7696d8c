"""Where runs lie: in home(), or elsewhere under a link; and what may be their ids."""

from __future__ import annotations

from pathlib import Path

from lstm_core.runs import home


def test_an_id_is_no_option_and_no_path(monkeypatch):
    drawn = iter(["-abcdefghijklmno", "--bcdefghijklmno", "abcdefghijklmno-"])
    monkeypatch.setattr(home.secrets, "token_urlsafe", lambda size: next(drawn))
    assert home.new_id() == "abcdefghijklmno-"
    for name in ("", ".", "..", "../runs", "a" * 15, "a" * 17, "a" * 15 + "/", "a" * 15 + "\n"):
        assert home.folder_of(name) is None


def test_a_home_does_not_move_with_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", "mine")
    assert home.home() == tmp_path / "mine"
    assert (tmp_path / "mine" / "runs").stat().st_mode & 0o777 == 0o700


def test_a_run_elsewhere_is_found_by_its_id_and_its_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path / "home"))
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    assert home.id_at(folder) is None
    id = home.adopt(folder)
    assert (home.id_at(folder), home.id_at(folder / ".." / "elsewhere")) == (id, id)
    assert home.folder_of(id).resolve() == folder and home.run_ids() == [id]
    folder.rmdir()
    assert home.folder_of(id) is None and home.run_ids() == [id]
    inside = Path(home.home() / "runs" / home.new_id())
    inside.mkdir()
    assert home.id_at(inside) == inside.name
