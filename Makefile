# The front door. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

JAR := spark/target/spark-pubsub.jar
PYTHON := .deps/venv/bin/python
CLANG_FORMAT ?= clang-format
C_FILES := $(shell git ls-files '*.c' '*.h')
JAVA_FILES := $(shell git ls-files '*.java')

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r t d; do printf '  make %-18s %s\n' "$$t" "$$d"; done

setup-build:
	@tools/bootstrap.sh build
setup-portable:
	@tools/bootstrap.sh portable
setup-python:
	@tools/bootstrap.sh python

setup-fuzz: setup-build
	@tools/bootstrap.sh fuzz

native: setup-build ## release build of libpubsub, the emulator, the pubsub command and the JNI library
	@tools/build_native.sh release

jar: native ## the one jar that Spark needs
	@tools/build_jar.sh

build: jar ## everything a user takes away, for this machine

natives: setup-build setup-portable ## what ships, for other machines too: any Linux since glibc 2.17, musl (PLATFORMS="linux-x86_64 linux-aarch64-musl")
	@tools/portable/build.sh $(PLATFORMS)

dist: setup-build setup-portable ## what is released, in dist/: Maven repository, wheels, archives, packages, image (an hour the first time)
	@tools/dist.sh

test-dist: setup-python ## what `make dist` made, used from empty environments
	@tools/bootstrap.sh arm64 && tools/portable/check_floor.sh && tools/test_dist.sh

dist-twice: ## `make dist` once more in another folder: the same bytes
	@tools/dist_twice.sh

test-floor: ## the oldest system that what was built portable loads on
	@echo "== floor" && tools/portable/check_floor.sh

demo: build setup-python ## publish, stream, aggregate and check 336,776 flights (KEEP=1 leaves it up)
	@KEEP=$(KEEP) demo/run.sh

test: check test-c test-fuzz test-hardening test-floor test-torture test-stress test-java test-jni-sanitized test-e2e test-spark-newest ## every test; the only command CI needs besides its checkout
	@echo "all tests passed"

test-quick: check jar setup-python ## the daily loop: guards, C and Java unit tests, the main paths of reading and writing (minutes)
	@tools/test_c.sh dev && tools/test_java.sh && tools/test_e2e.sh $(QUICK)

QUICK := test/operations/test_guards.py test/emulator/test_emulator_faults.py test/client/test_proxy.py test/spark/test_local.py

test-c: setup-build ## C unit and integration tests, with and without sanitizers
	@tools/test_c.sh dev asan

torture: setup-build ## fail every allocation and every call, in every scenario (SCENARIO= SIDE= KIND= MODE= I= SECONDS= JOBS=)
	@tools/torture.sh $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(SIDE),--side $(SIDE)) $(if $(KIND),--kind $(KIND)) \
	  $(if $(MODE),--mode $(MODE)) $(if $(I),--i $(I)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(JOBS),--jobs $(JOBS))

test-torture: setup-build ## torture, for a minute
	@echo "== torture" && tools/torture.sh --seconds 60

fuzz: setup-fuzz ## every parser of what others send, against libFuzzer (SECONDS=60 of each target, TARGETS="filter chunk", JOBS=)
	@tools/build_native.sh fuzz && fuzz/run.py $(if $(SECONDS),--seconds $(SECONDS)) $(if $(TARGETS),--targets $(TARGETS)) $(if $(JOBS),--jobs $(JOBS))

fuzz-coverage: setup-fuzz ## lines that the seeds of the fuzz targets cover
	@tools/build_native.sh fuzz-coverage && fuzz/coverage.py

test-fuzz: setup-fuzz ## every fuzz target over its seeds, and for a few seconds
	@echo "== fuzz" && tools/build_native.sh fuzz && fuzz/run.py --seconds 4

stress: setup-build ## random calls of many threads while the emulator misbehaves (SECONDS=60 SEED=1), under both sanitizers
	@tools/stress.sh $(or $(SECONDS),60) $(or $(SEED),1)

test-stress: setup-build ## stress, for half a minute
	@echo "== stress" && tools/stress.sh 12 1

test-hardening: native ## RELRO, NX, PIE, stack protector and fortified copies of what ships
	@echo "== hardening" && tools/check_hardening.sh

test-java: jar ## Java tests, and what the jar holds
	@tools/test_java.sh && tools/check_jar.sh

test-jni-sanitized: setup-build ## Java tests that call into C, under AddressSanitizer and -Xcheck:jni
	@tools/test_jni_sanitized.sh

test-e2e: jar setup-python ## PySpark and Google's own clients, against the emulator
	@tools/bootstrap.sh browser && tools/test_e2e.sh

# Lines of Spark besides the pinned one (test/support/requirements.txt), newest last.
LINES ?= 4.0.4 4.1.3 4.2.0

test-spark-lines: jar ## end to end under every other line of Spark (LINES="4.0.4 4.2.0")
	@tools/test_spark_lines.sh $(LINES)

test-spark-newest: jar ## the main paths under the newest line of Spark
	@tools/test_spark_lines.sh $(lastword $(LINES)) -- test/spark/test_local.py test/spark/test_replay.py test/spark/test_cluster.py test/spark/test_connect.py

conformance: native setup-python ## Google's Go, Java and Python clients, case by case, against the emulator
	@tools/bootstrap.sh go && test/emulator/conformance/run.py build/release/pubsub-emulator

h2spec: native ## the conformance suites of HTTP/2, strict: for servers against the emulator, for clients against the pubsub command
	@tools/bootstrap.sh go && test/emulator/h2spec/run.sh
	@cd test/emulator/h2spec && go build -o $(CURDIR)/build/h2specd github.com/summerwind/h2spec/cmd/h2specd
	@test/client/h2spec/run.py build/h2specd $(CURDIR)/build/release/pubsub

crowd: native setup-python ## 1,000 publishing connections and 200 streams at the emulator for a minute (ARGS="--seconds 10")
	@$(PYTHON) bench/emulator/crowd.py $(ARGS)

bench-emulator: native ## CPU of the emulator per message, beside Google's fakes
	@tools/bootstrap.sh go && bench/emulator/run.py

bench-store: native setup-python ## what the emulator's store costs beside memory, and how soon 1 GB is back
	@$(PYTHON) bench/emulator/store.py

bench-rest: native setup-python ## CPU of the emulator per message over REST, beside Google's where it is installed
	@$(PYTHON) bench/emulator/rest.py

install: native ## the library, the programs and their pages below PREFIX (/usr/local)
	@cmake --install build/release --prefix $(or $(PREFIX),/usr/local) | grep -v Up-to-date

docs-c: ## the page of the C library, in build/docs-c/html
	@tools/bootstrap.sh docs && rm -rf build/docs-c && mkdir -p build && doxygen docs/c/Doxyfile && echo build/docs-c/html/index.html

SEEDS ?= 10000
sim-c: setup-build ## reading, simulated on a virtual clock against a model of the service (SEEDS=10000 FIRST=1)
	@tools/build_native.sh dev && build/dev/sim_test $(SEEDS) $(or $(FIRST),1)

check: setup-build ## format; layers, Java's style, circles, dead prototypes, files that are named (ARCHITECTURE.md too), pure files with their tests
	@tools/check_format.sh $(CLANG_FORMAT) $(C_FILES)
	@tools/java_format.sh --check $(JAVA_FILES)
	@python3 tools/check_layers.py
	@for guard in java circles dead tests; do python3 tools/check_$$guard.py || exit 1; done

figures: ## the shape of the C tree: circles, twin headers, tests of pure files, sizes, comments
	@tools/figures.py

fmt: setup-build ## reformat C and Java
	@$(CLANG_FORMAT) -i $(C_FILES) && tools/java_format.sh --fix $(JAVA_FILES)

bench: build setup-python ## every benchmark beside its peers; writes docs/performance.md (ARGS="--quick")
	@tools/bootstrap.sh peers && .deps/venv/bin/python bench/run.py $(ARGS)

bench-report: setup-python ## docs/performance.md and its pictures, from the last figures
	@.deps/venv/bin/python bench/report.py

bench-core: native ## CPU per message of the C client, beside Google's Go client
	@tools/bootstrap.sh go && bench/core/run.py

bench-typed: build setup-python ## typed rows: payloadFormat beside from_json, behind both sources; and the decoders alone
	@tools/bootstrap.sh peers && .deps/venv/bin/python bench/spark/run.py --only typed $(ARGS) && build/release/bench_payload

chaos: build setup-python ## random faults against 500,000 messages (ARGS="--seed N --events N --messages N")
	@.deps/venv/bin/python bench/operations/chaos.py $(ARGS)

elastic: build setup-python ## dynamic allocation, 0 -> 10 -> 0 -> 10 executors, while messages come (ARGS="--executors 4")
	@.deps/venv/bin/python bench/operations/elastic.py $(ARGS)

soak: build setup-python ## a query for 20 minutes while the emulator misbehaves: nothing lost, memory flat (SECONDS=90 shortens)
	@.deps/venv/bin/python bench/operations/soak.py $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

sim: setup-build ## the ledger and its agents in a simulated cluster (SEEDS=100000; SEED=n shows one)
	@tools/sim.sh $(if $(SEED),seed $(SEED),seeds $(or $(SEEDS),10000))

bench-handover: jar ## what handing a chunk to the JVM costs
	@bench/handover/run.sh

bench-scale: jar ## what 2,000 modelled agents with 16,000 slots cost the driver (ARGS="200 1600 2 10 1000 1000")
	@bench/scale/run.sh $(ARGS)

clean: ## remove what was built (.deps stays)
	rm -rf build dist spark/target

distclean: clean ## remove what was downloaded too
	rm -rf .deps

.PHONY: dist test-dist dist-twice natives setup-portable test-floor install docs-c figures help setup-build setup-python native jar build demo test test-quick test-c torture test-torture stress test-stress test-java test-jni-sanitized test-e2e test-spark-lines test-spark-newest conformance h2spec crowd bench-emulator bench-store bench-rest fuzz fuzz-coverage test-fuzz setup-fuzz test-hardening check fmt chaos elastic soak sim bench bench-report bench-core bench-handover bench-scale clean distclean
