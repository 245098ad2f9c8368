# SPDX-License-Identifier: Apache-2.0

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
SWIFT_FLAGS ?=
RELEASE = $(SWIFT) build -c release --static-swift-stdlib $(SWIFT_FLAGS)
# Independent implementations of varlink, age and JSON Schema, and a keylogger to compare with, for the
# tests.
PYTHON_PACKAGES = for name in varlink pyrage datasette pyarrow jsonschema pynput; do test -d .build-python/$$name \
    || python3 -m pip install -q --target .build-python $$name; done
SOURCES = Package.swift Sources Tests
FUZZ = $(SWIFT) build -c release --package-path Tests/Fuzz --scratch-path .build/fuzz
RUNS ?= 10000000

.PHONY: run build test proof fuzz bench lint format install uninstall clean

run: ## Record: on your display after asking, or without one on a private X server.
	@bash .ci/packages $(if $(DISPLAY),build,run)
	@$(RELEASE) --product mcid
	@$(RELEASE) --product mcictl
	@BUILD_DIR="$$($(RELEASE) --show-bin-path)" bash Tests/Demo/run.sh

build: ## A release build of both programs and of the SQLite extension.
	@bash .ci/packages build
	$(RELEASE) --product mcid
	$(RELEASE) --product mcictl
	$(RELEASE) --product mci-sqlite

test: ## All tests, with everything they need.
	@bash .ci/packages test
	@$(PYTHON_PACKAGES)
	$(SWIFT) test $(SWIFT_FLAGS)

proof: build ## The random proofs at their full length, faults and power cuts: about two hours.
	@bash .ci/packages test
	@$(PYTHON_PACKAGES)
	MCI_PROOF=1 $(SWIFT) test $(SWIFT_FLAGS) --filter \
	    'DaemonTests|OracleTests|ContinuityTests|FocusTests|PointerTests|ForeignReadersTests|RandomDamageTests|LimitTests|StrangerTests'
	python3 Tests/Proofs/faults.py "$$($(RELEASE) --show-bin-path)"
	python3 Tests/Proofs/powercut.py "$$($(RELEASE) --show-bin-path)"

fuzz: ## Mutated files against every reader, RUNS of each: some 20 minutes; RUNS=20000 is short.
	@bash .ci/packages build
	$(FUZZ) --product fuzz
	@bash Tests/Fuzz/run.sh "$$($(FUZZ) --show-bin-path)/fuzz" $(RUNS) .build/fuzz/inputs

bench: build ## Cost beside a C reader, xinput, pynput, a plain SQLite table and a strong compressor.
	@bash .ci/packages bench
	@$(PYTHON_PACKAGES)
	@BUILD_DIR="$$($(RELEASE) --show-bin-path)" bash Tests/Benchmarks/run.sh
	@$(RELEASE) --product mci-gate-bench
	@"$$($(RELEASE) --show-bin-path)/mci-gate-bench"
	@$(RELEASE) --product mci-ring-bench
	@BUILD_DIR="$$($(RELEASE) --show-bin-path)" bash Tests/Benchmarks/ring.sh

lint:
	$(SWIFT) format lint --strict --recursive --parallel $(SOURCES)

format:
	$(SWIFT) format --in-place --recursive --parallel $(SOURCES)

install: ## Programs, extension and user unit below PREFIX; run `make build` first, as yourself.
	@test -x .build/release/mcid || { echo "Run make build first." >&2; exit 1; }
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/lib/mci" \
	    "$(DESTDIR)$(PREFIX)/lib/systemd/user" "$(DESTDIR)$(PREFIX)/share/mci"
	install -s -m 755 .build/release/mcid .build/release/mcictl "$(DESTDIR)$(PREFIX)/bin/"
	install -s -m 644 .build/release/libmci-sqlite.so "$(DESTDIR)$(PREFIX)/lib/mci/"
	install -m 644 systemd/mcid.service "$(DESTDIR)$(PREFIX)/lib/systemd/user/"
	install -m 644 Sources/Settings/policy.schema.json Sources/Settings/policy.example.json \
	    "$(DESTDIR)$(PREFIX)/share/mci/"

uninstall: ## Removes what install put there; recordings and keys stay.
	rm -f "$(DESTDIR)$(PREFIX)/bin/mcid" "$(DESTDIR)$(PREFIX)/bin/mcictl" \
	    "$(DESTDIR)$(PREFIX)/lib/systemd/user/mcid.service" \
	    "$(DESTDIR)$(PREFIX)/lib/mci/libmci-sqlite.so" \
	    "$(DESTDIR)$(PREFIX)/share/mci/policy.schema.json" \
	    "$(DESTDIR)$(PREFIX)/share/mci/policy.example.json"
	-rmdir "$(DESTDIR)$(PREFIX)/lib/mci" "$(DESTDIR)$(PREFIX)/share/mci"

clean:
	rm -rf .build .build-python
