"""What is made for its owner alone, and put in its place at once."""

import os

import pytest

from poeticoins import private


def test_a_file_is_its_owners_alone_and_in_its_place_once_it_is_whole(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    with private.replacing(path) as descriptor:
        os.write(descriptor, b"new")
        assert path.read_text() == "old"

    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [*tmp_path.iterdir()] == [path]


def test_what_was_there_stays_if_the_new_one_cannot_be_written(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    with pytest.raises(OSError, match="full"), private.replacing(path):
        raise OSError("the disk is full")

    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_a_link_in_the_place_where_it_is_made_is_not_followed(tmp_path):
    precious, path = tmp_path / "precious", tmp_path / "file"
    precious.write_text("precious")
    (tmp_path / "file.new").symlink_to(precious)

    with pytest.raises(OSError, match="symbolic"), private.replacing(path):
        pass

    assert precious.read_text() == "precious"
    assert not path.exists()


def test_a_directory_and_what_is_above_it_are_their_owners_alone(tmp_path):
    made = tmp_path / "mode" / "exchange"

    private.directory(made)
    private.directory(made)

    assert {path.stat().st_mode & 0o777 for path in (made, made.parent)} == {0o700}
