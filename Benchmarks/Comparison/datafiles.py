"""Bytes in the data folders of a system's nodes."""

import os
import threading

PIECE = 1 << 20


def files(folders):
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                yield os.path.join(parent, name)


def content_end(path):
    """The size of a file without the zeros at its end, which were put there beforehand."""
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(0, end - PIECE)
            file.seek(begin)
            piece = file.read(end - begin).rstrip(b"\0")
            if piece:
                return begin + len(piece)
            end = begin
    return 0


def contents(folders):
    """The content of each file, by the file's number, so that a file that gets another name stays the same."""
    found = {}
    for path in files(folders):
        try:
            status = os.stat(path)
            if status.st_nlink and os.path.isfile(path):
                found[status.st_dev, status.st_ino] = content_end(path)
        except OSError:
            continue
    return found


def allocated(folders):
    """What `du` counts."""
    seen = {}
    for path in files(folders):
        try:
            status = os.stat(path)
            seen[status.st_dev, status.st_ino] = status.st_blocks * 512
        except OSError:
            continue
    return sum(seen.values())


class Keeper:
    """Gives every file of the data folders a second name in a folder of ours, again and again, so that what was written
    stays to be counted when its owner removes the file."""

    def __init__(self, folders, keep):
        self.folders = folders
        self.keep = str(keep)
        self.ended = threading.Event()
        self.known = set()
        os.makedirs(self.keep)
        self.before = contents(folders)
        self.allocated_before = allocated(folders)
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        self.look()
        while not self.ended.wait(0.2):
            self.look()

    def look(self):
        for path in files(self.folders):
            try:
                number = os.stat(path).st_ino
                if number not in self.known:
                    os.link(path, os.path.join(self.keep, str(number)))
                    self.known.add(number)
            except OSError:
                # Gone already, or one of last time's.
                continue

    def finish(self):
        """By how much the contents have grown, removed files included, and what `du` counts for those that are there."""
        self.ended.set()
        self.thread.join()
        after = contents([*self.folders, self.keep])
        grown = sum(max(0, size - self.before.get(number, 0)) for number, size in after.items())
        space = allocated(self.folders) - self.allocated_before
        for name in os.listdir(self.keep):
            os.unlink(os.path.join(self.keep, name))
        os.rmdir(self.keep)
        return grown, space
