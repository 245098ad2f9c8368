# SPDX-License-Identifier: Apache-2.0

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
SWIFT_FLAGS ?=
RELEASE = $(SWIFT) build -c release --static-swift-stdlib -Xlinker -z -Xlinker now $(SWIFT_FLAGS)
# Independent implementations of varlink, age and JSON Schema, and a keylogger to compare with, for the
# tests.
PYTHON_PACKAGES = for name in varlink pyrage datasette pyarrow jsonschema pynput; do test -d .build-python/$$name \
    || python3 -m pip install -q --target .build-python $$name; done
SOURCES = Package.swift Sources Tests
FUZZ = $(SWIFT) build -c release --package-path Tests/Fuzz --scratch-path .build/fuzz
RUNS ?= 10000000
EVERY ?= 20
SOAK ?= 1800
SHORT ?=

.PHONY: run run-release build test proof witness desktop mutants scenarios fuzz bench attack trace soak fresh lint format install uninstall deb \
    clean-root clean

run: ## Record: on your display after asking, or without one on a private X server.
	@bash .ci/packages $(if $(DISPLAY),build,run)
	@$(RELEASE) --product mcid
	@$(RELEASE) --product mcictl
	@BUILD_DIR="$$($(RELEASE) --show-bin-path)" bash Tests/Demo/run.sh

run-release: ## A release from the recording to a training job, its trace, and its withdrawal.
	@bash .ci/packages run
	@for product in mcid mcictl mci-holder mci-read; do $(RELEASE) --product $$product || exit 1; done
	@BUILD_DIR="$$($(RELEASE) --show-bin-path)" bash Tests/Demo/release.sh

build: ## A release build of the programs and of the SQLite extension.
	@bash .ci/packages build
	$(RELEASE) --product mcid
	$(RELEASE) --product mcictl
	$(RELEASE) --product mci-companion
	$(RELEASE) --product mci-holder
	$(RELEASE) --product mci-read
	$(RELEASE) --product mci-sqlite

test: ## All tests, with everything they need.
	@bash .ci/packages test
	@$(PYTHON_PACKAGES)
	$(SWIFT) test $(SWIFT_FLAGS)

proof: build ## The random proofs at their full length, faults, power cuts and bits: about five hours.
	@bash .ci/packages proof
	@$(PYTHON_PACKAGES)
	MCI_PROOF=1 $(SWIFT) test $(SWIFT_FLAGS) --filter \
	    'DaemonTests|OracleTests|ClickTests|PlaceTests|ContinuityTests|FocusTests|PointerTests|TouchTests|ForeignReadersTests|RandomDamageTests|LimitTests|StrangerTests|PutBackTests|BitTests|RollbackTests|AgeClockTests|BusyVerifyTests|ZoneTests|QueryTimeTests|GlobTextTests|NoteJudgeTests|MerkleTreeTests|ReleaseCommandTests|MinimiserTests|LogTraceTests|StatementNoteTests'
	python3 Tests/Proofs/faults.py "$$($(RELEASE) --show-bin-path)"
	python3 Tests/Proofs/powercut.py "$$($(RELEASE) --show-bin-path)"
	python3 Tests/Proofs/bits.py "$$($(RELEASE) --show-bin-path)"

witness: build ## What X told its clients against what mcid stored, on Xvfb, Xorg and Xvnc: some five minutes.
	@bash .ci/packages witness
	@$(PYTHON_PACKAGES)
	python3 Tests/Proofs/witness.py "$$($(RELEASE) --show-bin-path)"

desktop: build ## Mark, companion and report on real desktops: compositors, lockers, panels, browsers: half an hour.
	@bash .ci/packages desktop
	@$(PYTHON_PACKAGES)
	desktop-file-validate packaging/mci.desktop
	@for name in websockets axe-selenium-python; do test -d .build-python/$$name \
	    || python3 -m pip install -q --no-deps --target .build-python/$$name $$name; done
	MCI_REPORT=$(CURDIR)/.build/report.html $(SWIFT) test $(SWIFT_FLAGS) --filter PageTests
	python3 Tests/Proofs/report.py .build/report.html .build/pictures
	python3 Tests/Proofs/panels.py "$$($(RELEASE) --show-bin-path)"
	python3 Tests/Proofs/mark.py "$$($(RELEASE) --show-bin-path)" --rounds 100
	for manager in picom xfwm4 mutter; do \
	    python3 Tests/Proofs/mark.py "$$($(RELEASE) --show-bin-path)" --rounds 20 --compositor $$manager || exit 1; \
	done
	python3 Tests/Proofs/lockers.py "$$($(RELEASE) --show-bin-path)"

mutants: ## The gate with each small change made to it: every one fails a test. Then a sample of the storage.
	python3 Tests/Proofs/mutants.py
	python3 Tests/Proofs/mutants.py --module Storage --every $(EVERY)

scenarios: ## What each page of Tests/Scenarios is about, broken once: exactly the pages named fail. A quarter of an hour.
	python3 Tests/Proofs/scenarios.py

fuzz: ## Mutated input against every reader, RUNS of each: a night; RUNS=20000 is short.
	@bash .ci/packages build
	$(FUZZ) --product fuzz
	@bash Tests/Fuzz/run.sh "$$($(FUZZ) --show-bin-path)/fuzz" $(RUNS) .build/fuzz/inputs

bench: build ## Cost beside a C reader, xinput, pynput, a plain SQLite table, a compressor; SHORT=1 is five minutes.
	@bash .ci/packages bench
	@$(PYTHON_PACKAGES)
	@$(RELEASE) --product mci-ring-bench
	@BUILD_DIR="$$($(RELEASE) --show-bin-path)" SHORT=$(SHORT) bash Tests/Benchmarks/run.sh
	@$(RELEASE) --product mci-release-bench
	@"$$($(RELEASE) --show-bin-path)/mci-release-bench"
	@$(RELEASE) --product mci-gate-bench
	@"$$($(RELEASE) --show-bin-path)/mci-gate-bench"
	@BUILD_DIR="$$($(RELEASE) --show-bin-path)" RING=$(if $(SHORT),8,64) bash Tests/Benchmarks/ring.sh
	@python3 Tests/Benchmarks/work.py "$$($(RELEASE) --show-bin-path)" $(if $(SHORT),10)

attack: build ## What stored files tell of texts to whoever has them: ten minutes; SHORT=1 is one.
	@$(RELEASE) --product mci-attack-typist
	python3 Tests/Attacks/attack.py "$$($(RELEASE) --show-bin-path)" $(if $(SHORT),--short)

trace: ## The tests under strace: every call of every mcid, against the unit's filter.
	@bash .ci/packages test
	@$(PYTHON_PACKAGES)
	@rm -rf .build/traces && mkdir -p .build/traces
	MCI_TRACE=$(CURDIR)/.build/traces $(SWIFT) test $(SWIFT_FLAGS)
	python3 Tests/Service/calls.py .build/traces

soak: build ## Half an hour at a thousand motions a second, under the unit; SOAK=60 is short.
	@bash .ci/packages test
	python3 Tests/Service/rig.py "$$($(RELEASE) --show-bin-path)" --soak $(SOAK)

fresh: ## README's two commands in a clean Debian, and both results; as root.
	packaging/fresh.sh

lint:
	$(SWIFT) format lint --strict --recursive --parallel $(SOURCES)

format:
	$(SWIFT) format --in-place --recursive --parallel $(SOURCES)

# Where things go; TO is for staging.
TO = $(DESTDIR)$(PREFIX)
SYSCONFDIR ?= /etc
HOOK = $(DESTDIR)$(SYSCONFDIR)/X11/Xsession.d/95mci
UNITS = $(TO)/lib/systemd/user
# Debian's zsh looks in another folder for what packages bring.
ZSH = $(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
COMPLETIONS = $(TO)/share/bash-completion/completions/mcictl \
    $(TO)/share/zsh/$(ZSH)/_mcictl $(TO)/share/fish/vendor_completions.d/mcictl.fish
PROGRAMS = mcid mcictl mci-companion mci-holder mci-read
MANUALS = mcid.1 mci-companion.1 mci-holder.1 mci-read.1
COMPLETE = .build/release/mcictl --generate-completion-script

install: ## Everything below PREFIX and the Xsession hook; run `make build` first, as yourself.
	@test -x .build/release/mcid || { echo "Run make build first." >&2; exit 1; }
	install -d "$(TO)/bin" "$(TO)/lib/mci" "$(UNITS)" "$(TO)/share/man/man1" "$(TO)/share/mci" \
	    "$(TO)/share/applications" \
	    "$(dir $(HOOK))" $(foreach file,$(COMPLETIONS),"$(dir $(file))")
	install -s -m 755 $(addprefix .build/release/,$(PROGRAMS)) "$(TO)/bin/"
	install -s -m 644 .build/release/libmci-sqlite.so "$(TO)/lib/mci/"
	install -m 755 packaging/mci-session packaging/probe-userns "$(TO)/lib/mci/"
	sed 's|^ExecStart=mcid|ExecStart=$(PREFIX)/bin/mcid|' systemd/mcid.service >"$(UNITS)/mcid.service"
	for unit in mci-companion mci-holder; do \
	    sed 's|^ExecStart=mci|ExecStart=$(PREFIX)/bin/mci|' systemd/$$unit.service >"$(UNITS)/$$unit.service"; \
	done
	install -m 644 systemd/mci-session.target "$(UNITS)/"
	install -m 644 packaging/mci.desktop "$(TO)/share/applications/"
	install -m 644 systemd/mcid.service.d/50-userns.conf Sources/Policy/policy.schema.json \
	    Sources/Policy/policy.example.json Sources/Release/purpose.schema.json \
	    Sources/Release/purpose.example.json \
	    "$(TO)/share/mci/"
	sed 's|@PREFIX@|$(PREFIX)|' packaging/95mci >"$(HOOK)"
	install -m 644 $(addprefix packaging/,$(MANUALS)) "$(TO)/share/man/man1/"
	.build/release/mcictl --experimental-dump-help | python3 packaging/manual.py \
	    >"$(TO)/share/man/man1/mcictl.1"
	$(COMPLETE) bash | sed '1{/^#!/d}' >"$(word 1,$(COMPLETIONS))"
	$(COMPLETE) zsh >"$(word 2,$(COMPLETIONS))"
	$(COMPLETE) fish >"$(word 3,$(COMPLETIONS))"
	chmod 644 "$(UNITS)/mcid.service" "$(UNITS)/mci-companion.service" "$(UNITS)/mci-holder.service" "$(HOOK)" "$(TO)/share/man/man1/mcictl.1" $(COMPLETIONS)
	@test -n "$(DESTDIR)" || ! packaging/probe-userns || { install -d "$(UNITS)/mcid.service.d"; \
	    install -m 644 systemd/mcid.service.d/50-userns.conf "$(UNITS)/mcid.service.d/"; \
	    echo "User namespaces work here: with the drop-in 50-userns.conf."; }

uninstall: ## Removes what install put there; asks about your recording and your key.
	rm -f $(foreach name,$(PROGRAMS),"$(TO)/bin/$(name)") "$(UNITS)/mcid.service" \
	    "$(UNITS)/mci-companion.service" "$(UNITS)/mci-holder.service" "$(UNITS)/mci-session.target" \
	    "$(TO)/share/applications/mci.desktop" \
	    "$(UNITS)/mcid.service.d/50-userns.conf" "$(HOOK)" \
	    $(foreach name,$(MANUALS) mcictl.1,"$(TO)/share/man/man1/$(name)") $(COMPLETIONS)
	rm -f "$(TO)/share/mci/policy.schema.json" "$(TO)/share/mci/policy.example.json" \
	    "$(TO)/share/mci/purpose.schema.json" "$(TO)/share/mci/purpose.example.json" \
	    "$(TO)/share/mci/50-userns.conf" "$(TO)/lib/mci/libmci-sqlite.so" "$(TO)/lib/mci/mci-session" \
	    "$(TO)/lib/mci/probe-userns"
	@rmdir "$(TO)/lib/mci" "$(TO)/share/mci" "$(UNITS)/mcid.service.d" 2>/dev/null || true
	@test -n "$(DESTDIR)" || sh packaging/uninstall

ARCHITECTURE = $(shell dpkg --print-architecture)
VERSION = $(shell sed -n 's/.*static let version = "\(.*\)"/\1/p' Sources/System/CurrentProcess.swift)
DEB = dist/mci_$(VERSION)_$(ARCHITECTURE).deb

deb: build ## A Debian package in dist/.
	@packaging/deb.sh
	@! command -v lintian >/dev/null || lintian --fail-on error,warning $(DEB)

clean-root: deb ## Installs, uses, upgrades and removes the package in a clean Debian; as root.
	@packaging/deb.sh +1
	packaging/clean-root.sh $(DEB) $(subst _$(ARCHITECTURE),+1_$(ARCHITECTURE),$(DEB))

clean:
	rm -rf .build .build-python
