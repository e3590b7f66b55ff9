"""What is not Java or Python: tar archives of a platform, Debian's packages, an image of the emulator for containers."""

import json

from files import DATE, Entry, gz, sha256, tar, write
from product import PORTABLE, ROOT, VERSION, licences, shared_library

PC = (ROOT / "cmake/pubsub.pc.in").read_text()
CMAKE = """# find_package(pubsub): pubsub::pubsub is the shared library.
get_filename_component(_prefix "${{CMAKE_CURRENT_LIST_DIR}}/../../{up}" ABSOLUTE)
if(NOT TARGET pubsub::pubsub)
  add_library(pubsub::pubsub SHARED IMPORTED)
  set_target_properties(pubsub::pubsub PROPERTIES
    IMPORTED_LOCATION "${{_prefix}}/{library}" INTERFACE_INCLUDE_DIRECTORIES "${{_prefix}}/include")
endif()
unset(_prefix)
"""
CMAKE_VERSION = """set(PACKAGE_VERSION "{0}")
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION OR NOT PACKAGE_FIND_VERSION_MAJOR EQUAL {1})
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
"""
DEBIAN = {
    "pubsub-emulator": "server of the Google Cloud Pub/Sub API for tests",
    "pubsub": "command-line client of Google Cloud Pub/Sub",
    "libpubsub": "native client of Google Cloud Pub/Sub, library and headers",
}
ARCHITECTURES = {"linux-x86_64": "amd64", "linux-aarch64": "arm64"}


def _program(platform, name):
    return {f"bin/{name}": Entry.of(PORTABLE / platform / name, executable=True)}


def _library(platform, lib="lib"):
    """The library and what a compiler needs of it, for a prefix."""
    name, links = shared_library(platform)
    entries = {f"{lib}/{name}": Entry.of(PORTABLE / platform / name, executable=True)}
    entries.update({f"{lib}/{link}": Entry(link=name) for link in links})
    for header in sorted((ROOT / "include/pubsub").glob("*.h")):
        entries[f"include/pubsub/{header.name}"] = Entry.of(header)
    up = "/".join(".." for _ in lib.split("/"))
    pc = PC.replace("${libdir}/../@CMAKE_INSTALL_INCLUDEDIR@", f"${{libdir}}/{up}/include").replace("@PROJECT_VERSION@", VERSION)
    pc = "\n".join(line for line in pc.splitlines() if not line.startswith("Libs.private")) + "\n"
    entries[f"{lib}/pkgconfig/pubsub.pc"] = Entry(pc.encode())
    entries[f"{lib}/cmake/pubsub/pubsub-config.cmake"] = Entry(CMAKE.format(library=f"{lib}/{links[-1]}", up=up).encode())
    version = CMAKE_VERSION.format(VERSION, VERSION.split(".")[0])
    entries[f"{lib}/cmake/pubsub/pubsub-config-version.cmake"] = Entry(version.encode())
    return entries


def _pages(pages):
    return {
        "share/man/man1/pubsub.1": Entry(pages["man"]),
        "share/bash-completion/completions/pubsub": Entry(pages["completion"]),
    }


def archive(folder, platform, pages):
    """pubsub-VERSION-PLATFORM.tar.gz: programs, library, headers; and one of the debug files."""
    top = f"pubsub-{VERSION}-{platform}"
    parts = {**_program(platform, "pubsub"), **_program(platform, "pubsub-emulator"), **_library(platform), **_pages(pages)}
    entries = {f"{top}/{name}": entry for name, entry in parts.items()}
    write(folder / f"{top}.tar.gz", gz(tar({**entries, **licences(top)})))
    debug = {f"{top}-debug/{path.name}": Entry.of(path) for path in sorted((PORTABLE / platform).glob("*.debug"))}
    if debug:
        write(folder / f"{top}-debug.tar.gz", gz(tar(debug)))


def _control(name, platform, size):
    lines = {
        "Package": name,
        "Version": VERSION,
        "Architecture": ARCHITECTURES[platform],
        "Maintainer": "The spark-pubsub authors <authors@spark-pubsub.example>",
        "Installed-Size": str(size // 1024 + 1),
        "Depends": "libc6 (>= 2.17)",
        "Section": "net",
        "Priority": "optional",
        "Description": DEBIAN[name],
    }
    return "".join(f"{key}: {value}\n" for key, value in lines.items()).encode()


def _ar(members):
    out = b"!<arch>\n"
    for name, data in members:
        out += f"{name:<16}{DATE:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return out


def debian(folder, platform, pages):
    contents = {
        "pubsub-emulator": _program(platform, "pubsub-emulator"),
        "pubsub": {**_program(platform, "pubsub"), **_pages(pages)},
        "libpubsub": _library(platform, f"lib/{platform.split('-')[1]}-linux-gnu"),
    }
    for name, parts in contents.items():
        entries = {f"./usr/{path}": entry for path, entry in parts.items()}
        entries.update(licences(f"./usr/share/doc/{name}"))
        control = tar({"./control": Entry(_control(name, platform, sum(len(entry.data) for entry in entries.values())))})
        package = _ar([("debian-binary", b"2.0\n"), ("control.tar.gz", gz(control)), ("data.tar.gz", gz(tar(entries)))])
        write(folder / f"{name}_{VERSION}_{ARCHITECTURES[platform]}.deb", package)


def _blob(blobs, data, kind):
    digest = sha256(data)
    blobs[f"blobs/sha256/{digest}"] = Entry(data)
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}


def image(folder, platforms):
    """An OCI image layout of the emulator, FROM scratch, as a tar: `skopeo copy oci-archive:FILE …`, `podman load`."""
    blobs, manifests = {}, []
    for platform, architecture in platforms.items():
        layer = tar({**_program(platform, "pubsub-emulator"), **licences("licenses")})
        compressed = gz(layer)
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Entrypoint": ["/bin/pubsub-emulator"], "Cmd": ["--listen", ":8085"], "ExposedPorts": {"8085/tcp": {}}, "User": "65534"},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(layer)}"]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _blob(blobs, json.dumps(config, sort_keys=True).encode(), "config.v1+json"),
            "layers": [_blob(blobs, compressed, "layer.v1.tar+gzip")],
        }
        found = _blob(blobs, json.dumps(manifest, sort_keys=True).encode(), "manifest.v1+json")
        manifests.append({**found, "platform": {"architecture": architecture, "os": "linux"}})
    inner = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests}
    listed = _blob(blobs, json.dumps(inner, sort_keys=True).encode(), "index.v1+json")
    listed["annotations"] = {"org.opencontainers.image.ref.name": VERSION}
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [listed]}
    blobs["index.json"] = Entry(json.dumps(index, sort_keys=True).encode())
    blobs["oci-layout"] = Entry(b'{"imageLayoutVersion": "1.0.0"}')
    write(folder / f"pubsub-emulator-{VERSION}.oci.tar", tar(blobs))
