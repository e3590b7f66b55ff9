"""Archives that are the same bytes whenever and wherever they are made: entries sorted, one date, one owner, modes that are told."""

import gzip
import hashlib
import io
import os
import tarfile
import time
import zipfile

DATE = int(os.environ.get("SOURCE_DATE_EPOCH", "1767225600"))  # 2026-01-01


class Entry:
    """What an archive holds under a name: bytes or a link."""

    def __init__(self, data=b"", executable=False, link=None):
        self.data, self.executable, self.link = data, executable, link

    @classmethod
    def of(cls, path, executable=False):
        return cls(path.read_bytes(), executable)


def _info(name, entry):
    info = tarfile.TarInfo(name)
    info.mtime, info.mode = DATE, 0o755 if entry.executable else 0o644
    if entry.link is None:
        info.size = len(entry.data)
    else:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
    return info


def _folders(names):
    found = {"/".join(name.split("/")[:depth]) for name in names for depth in range(1, name.count("/") + 1)}
    return found - {""}


def tar(entries):
    """The bytes of a tar of {name: Entry}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(_folders(entries) | set(entries)):
            if name in entries:
                archive.addfile(_info(name, entries[name]), io.BytesIO(entries[name].data))
                continue
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode, folder.mtime = tarfile.DIRTYPE, 0o755, DATE
            archive.addfile(folder)
    return out.getvalue()


def gz(data):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=DATE, filename="") as stream:
        stream.write(data)
    return out.getvalue()


def zipped(entries):
    """The bytes of a zip of {name: Entry}, in the order in which they are given."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, entry in entries.items():
            info = zipfile.ZipInfo(name, time.gmtime(DATE)[:6])
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
            info.external_attr = (0o100755 if entry.executable else 0o100644) << 16
            archive.writestr(info, entry.data)
    return out.getvalue()


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def sha256(data):
    return hashlib.sha256(data).hexdigest()
