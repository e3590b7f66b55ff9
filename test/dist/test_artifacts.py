"""The jar, the Maven repository, archives, packages and the image, as they lie in dist/."""

import hashlib
import json
import re
import tarfile
import xml.etree.ElementTree as xml
import zipfile

import pytest

from dist_environment import PLATFORM, ROOT, a_message_comes_through, bare_environment, run

LIBRARIES = ("native/linux-x86_64/libpubsub_jni.so", "native/linux-aarch64/libpubsub_jni.so")
MUSL = ("native/linux-x86_64-musl/libpubsub_jni.so", "native/linux-aarch64-musl/libpubsub_jni.so")


def test_the_jar_has_the_library_of_every_platform(in_the_jar):
    assert set(LIBRARIES + MUSL) <= set(in_the_jar)


def test_each_library_is_of_its_platform(jar, tmp_path):
    machines = {"x86_64": "X86-64", "aarch64": "AArch64"}
    with zipfile.ZipFile(jar) as archive:
        for name in LIBRARIES + MUSL:
            header = run("readelf", "-hW", archive.extract(name, tmp_path))
            assert machines[name.split("/")[1].split("-")[1]] in header


def test_the_jar_is_small(jar):
    assert jar.stat().st_size <= 25 * 1024 * 1024


def test_the_jar_brings_the_terms_of_what_is_inside(jar):
    with zipfile.ZipFile(jar) as archive:
        assert "Apache License" in archive.read("META-INF/LICENSE").decode()
        assert "spark-pubsub" in archive.read("META-INF/NOTICE").decode()
        terms = archive.read("META-INF/THIRD-PARTY.txt").decode()
    assert all(name in terms for name in ("OpenSSL", "nghttp2", "protobuf-c", "zlib", "google-auth-library", "checker-qual"))


def test_the_pom_brings_nothing_along_and_says_whose_it_is(jar):
    pom = xml.parse(jar.with_suffix(".pom")).getroot()
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    assert pom.find("m:dependencies", space) is None and pom.find("m:parent", space) is None
    for wanted in ("url", "scm/m:connection", "developers/m:developer/m:name", "licenses/m:license/m:name"):
        assert pom.find(f"m:{wanted}", space) is not None, wanted


def test_sources_javadoc_and_the_bill_of_materials_lie_beside(jar):
    for suffix in ("-sources.jar", "-javadoc.jar"):
        with zipfile.ZipFile(jar.with_name(jar.stem + suffix)) as archive:
            assert any("PubSubTableProvider" in name for name in archive.namelist())
    bom = json.loads(jar.with_name(jar.stem + "-cyclonedx.json").read_text())
    names = {component["name"] for component in bom["components"]}
    assert bom["bomFormat"] == "CycloneDX"
    assert {"openssl", "zlib", "nghttp2", "protobuf-c", "google-auth-library-oauth2-http"} <= names


def test_checksums_are_those_of_the_files(dist):
    for line in (dist / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest, name
    for path in dist.glob("maven/**/*.sha1"):
        assert hashlib.sha1(path.with_suffix("").read_bytes()).hexdigest() == path.read_text()


def test_nothing_tells_where_it_was_built(dist):
    for path in dist.rglob("*"):
        if path.suffix in (".gz", ".deb", ".tar") or not path.is_file():
            continue
        data = path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                data = b"".join(archive.read(name) for name in archive.namelist() if not name.endswith(".jar"))
        assert str(ROOT).encode() not in data, path


@pytest.fixture(scope="module")
def prefix(dist, tmp_path_factory):
    """The archive of this machine, unpacked."""
    folder = tmp_path_factory.mktemp("archive")
    found = next((dist / "archives").glob(f"pubsub-*-{PLATFORM}.tar.gz"))
    with tarfile.open(found) as archive:
        archive.extractall(folder, filter="tar")
    return next(folder.iterdir())


def test_the_programs_of_the_archive_work(prefix):
    a_message_comes_through(prefix / "bin/pubsub", prefix / "bin/pubsub-emulator")


def test_the_library_of_the_archive_is_compiled_against(prefix, tmp_path):
    source = tmp_path / "version.c"
    source.write_text('#include <pubsub/pubsub.h>\nint main(void) { struct pubsub_client *client = 0; pubsub_client_destroy(client); return 0; }\n')
    environment = bare_environment(PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"), LD_LIBRARY_PATH=str(prefix / "lib"))
    flags = run("pkg-config", "--cflags", "--libs", "pubsub", env=environment).split()
    run("cc", source, "-o", tmp_path / "version", *flags)
    run(tmp_path / "version", env=environment)


def test_the_packages_of_debian_install(dist, tmp_path):
    architecture = {"linux-x86_64": "amd64", "linux-aarch64": "arm64"}[PLATFORM]
    packages = sorted((dist / "packages").glob(f"*_{architecture}.deb"))
    assert sorted(package.name.split("_")[0] for package in packages) == ["libpubsub", "pubsub", "pubsub-emulator"]
    for package in packages:
        assert re.search(r"Depends: libc6 \(>= 2\.17\)", run("dpkg-deb", "--info", package))
        run("dpkg-deb", "--extract", package, tmp_path)
    a_message_comes_through(tmp_path / "usr/bin/pubsub", tmp_path / "usr/bin/pubsub-emulator")
    assert (tmp_path / f"usr/lib/{PLATFORM.split('-')[1]}-linux-gnu/libpubsub.so").exists()


def test_the_image_is_whole_and_its_program_runs_alone(dist, tmp_path):
    with tarfile.open(next((dist / "images").glob("*.oci.tar"))) as archive:
        archive.extractall(tmp_path, filter="tar")

    def blob(descriptor):
        data = (tmp_path / "blobs/sha256" / descriptor["digest"].split(":")[1]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == descriptor["digest"].split(":")[1] and len(data) == descriptor["size"]
        return data

    index = json.loads((tmp_path / "index.json").read_text())
    manifests = json.loads(blob(index["manifests"][0]))["manifests"]
    assert {one["platform"]["architecture"] for one in manifests} == {"amd64", "arm64"}
    for one in manifests:
        manifest = json.loads(blob(one))
        assert json.loads(blob(manifest["config"]))["config"]["Entrypoint"] == ["/bin/pubsub-emulator"]
        layer = tmp_path / one["platform"]["architecture"]
        layer.mkdir()
        (layer / "layer.tar.gz").write_bytes(blob(manifest["layers"][0]))
        with tarfile.open(layer / "layer.tar.gz") as archive:
            archive.extractall(layer, filter="tar")
        assert "INTERP" not in run("readelf", "-lW", layer / "bin/pubsub-emulator")
