"""A Maven repository in a folder: the jar, its pom (nothing to bring along), sources, javadoc, the bill of materials, checksums."""

import hashlib
import json
import re
import xml.etree.ElementTree as xml

from files import write
from product import ROOT, VERSION

NAMESPACE = "http://maven.apache.org/POM/4.0.0"
KEPT = ("modelVersion", "groupId", "artifactId", "version", "packaging", "name", "description", "url", "licenses", "developers", "scm")
METADATA = """<?xml version="1.0" encoding="UTF-8"?>
<metadata>
  <groupId>io.sparkpubsub</groupId>
  <artifactId>spark-pubsub</artifactId>
  <versioning>
    <latest>{0}</latest>
    <release>{0}</release>
    <versions><version>{0}</version></versions>
  </versioning>
</metadata>
"""


def pom():
    """spark/pom.xml without what builds it. Everything it depends on is inside the jar, or Spark's."""
    xml.register_namespace("", NAMESPACE)
    project = xml.parse(ROOT / "spark/pom.xml").getroot()
    for child in list(project):
        if child.tag.removeprefix("{%s}" % NAMESPACE) not in KEPT:
            project.remove(child)
    xml.indent(project)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(project) + b"\n"


def _pinned(lock, name):
    return re.search(rf'name = "{name}"\nversion = "([^"]+)"', lock).group(1)


def native_components():
    """What is compiled into the libraries, for the bill of materials."""
    lock = (ROOT / "packaging/sources/Cargo.lock").read_text()
    header = (ROOT / ".deps/portable/sources/zlib/zlib.h").read_text()
    versions = {
        "openssl": _pinned(lock, "openssl-src").split("+")[1],
        "zlib": re.search(r'ZLIB_VERSION "([^"]+)"', header).group(1),
        **{name: (ROOT / f".deps/src/{name}/VERSION.pinned").read_text().strip() for name in ("nghttp2", "protobuf-c")},
    }
    terms = {"openssl": "Apache-2.0", "zlib": "Zlib", "nghttp2": "MIT", "protobuf-c": "BSD-2-Clause"}
    return [
        {
            "type": "library",
            "bom-ref": f"pkg:generic/{name}@{version}",
            "name": name,
            "version": version,
            "licenses": [{"license": {"id": terms[name]}}],
            "purl": f"pkg:generic/{name}@{version}",
        }
        for name, version in sorted(versions.items())
    ]


def bill_of_materials(made_by_maven):
    bom = json.loads(made_by_maven)
    bom.pop("serialNumber", None)
    bom["components"] = sorted(bom.get("components", []) + native_components(), key=lambda one: one["bom-ref"])
    return json.dumps(bom, indent=2, sort_keys=True).encode() + b"\n"


def _with_checksums(path, data):
    write(path, data)
    for kind in ("md5", "sha1", "sha256", "sha512"):
        write(path.with_name(f"{path.name}.{kind}"), hashlib.new(kind, data).hexdigest().encode())


def repository(folder, target):
    """target: the folder where Maven built."""
    artifact = folder / "io/sparkpubsub/spark-pubsub"
    home = artifact / VERSION
    for suffix in ("", "-sources", "-javadoc"):
        _with_checksums(home / f"spark-pubsub-{VERSION}{suffix}.jar", (target / f"spark-pubsub{suffix}.jar").read_bytes())
    _with_checksums(home / f"spark-pubsub-{VERSION}.pom", pom())
    _with_checksums(home / f"spark-pubsub-{VERSION}-cyclonedx.json", bill_of_materials((target / "bom.json").read_bytes()))
    _with_checksums(artifact / "maven-metadata.xml", METADATA.format(VERSION).encode())
    return home / f"spark-pubsub-{VERSION}.jar"
