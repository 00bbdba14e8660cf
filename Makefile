# make run    see the agent at work: on this machine's ip_vs, or in a lab kernel
# make test   every check and test, those in the lab kernel too
# make soak   five minutes of a table that changes 50 times a second (LVS_SOAK=1h)
# make kill   200 times kill -9 under load (LVS_KILLS=1000)
# make flaps  notifications of an hour of flapping, to three managers (LVS_FLAPS=30)
# make hostile  a million datagrams nobody should answer (LVS_DATAGRAMS=100000)
# make damage 1000 kills, 2000 power cuts and flipped bytes for the store's files
# make fuzz   every decoder, 20 seconds each (FUZZ=10m)
# make bench  every figure we claim beside its peer's (B=name runs one)
# make install  programs, MIBs, the packs for Cacti, Prometheus and Grafana and systemd units, below PREFIX
SHELL := /bin/bash
export PATH := $(CURDIR)/build/_go/bin:$(PATH):/usr/local/go/bin:/usr/sbin:/sbin
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X github.com/prometheus/common/version.Version=$(VERSION)
LAB := $(CURDIR)/internal/lab/uml
LAB_PACKAGES = $(shell grep -rl --include=*_test.go '^//go:build lab' . | xargs -n1 dirname | sort -u)

build: build/lvs-agent build/lvs-exporter build/lvs-agent.8 build/lvs-exporter.1
build/lvs-agent build/lvs-exporter build/labnet: FORCE
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $@ $(if $(findstring labnet,$@),./internal/lab/labnet,./cmd/$(notdir $@))

# Man pages and completions are what the programs say of themselves; of one that
# was built for another machine, what it would say is asked of one for this.
build/lvs-agent.8: about = serves SNMP, Prometheus, JSON and history of a Linux Virtual Server director
build/lvs-exporter.1: about = reads the history that lvs-agent keeps, and directors over SNMP
build/%.8 build/%.1: build/%
	@say() { $< $$1 2>/dev/null || GOOS= GOARCH= CGO_ENABLED=0 go run -trimpath ./cmd/$* $$1; }; \
	page=$$(say --help-man) && script=$$(say --completion-script-bash) && { \
		printf '.TH %s %s "" "lvs-agent %s"\n.SH NAME\n%s \\- %s\n' $* $(subst .,,$(suffix $@)) '$(VERSION)' $* '$(about)'; \
		sed '1,/^\.SH "NAME"$$/d' <<<"$$page" | sed 1d; } >$@ && echo "$$script" >build/$*.bash

run:
	@.ci/setup run
	@$(MAKE) --no-print-directory build build/labnet
	@internal/lab/run.sh

test:
	@.ci/setup test
	@$(MAKE) --no-print-directory check unit lab

# What needs no test to run: form, generated files, and the other platforms.
check:
	@files=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$files" ] || { echo "gofmt would change: $$files"; exit 1; }
	go vet ./...
	go vet -tags lab ./...
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build ./...
	GOOS=freebsd GOARCH=amd64 CGO_ENABLED=0 go build ./...
	go mod verify >/dev/null
	@before=$$(git status --porcelain; git diff); go generate ./... && \
	[ "$$before" = "$$(git status --porcelain; git diff)" ] || { echo "generated files were stale; go generate ./... has made them anew:"; git status --porcelain; exit 1; }

unit:
	go test -race -timeout 30m ./...

# Tests named TestLab… run on a real kernel with ip_vs. A guest has one processor
# and mostly waits for time to pass, so four of them share the machine.
LAB_TEST = CGO_ENABLED=0 LABNET=$(CURDIR)/build/labnet go test -p 1 -count 1 -timeout 40m -tags lab -exec '$(LAB) --timeout 2000 --'
LAB_FAULTS = Fault|Kill|Soak
LAB_PEOPLE = Alerts|Dashboards|StatusPage
lab: build build/labnet
	@$(MAKE) --no-print-directory -j 4 -O lab-packages lab-faults lab-windows lab-people
lab-packages:
	$(LAB_TEST) -run '^TestLab' $(filter-out ./internal/e2e,$(LAB_PACKAGES))
lab-faults:
	$(LAB_TEST) -run '^TestLab($(LAB_FAULTS))' ./internal/e2e
lab-windows:
	$(LAB_TEST) -run '^TestLab' -skip '^TestLab($(LAB_FAULTS)|$(LAB_PEOPLE))' ./internal/e2e
lab-people:
	$(LAB_TEST) -run '^TestLab($(LAB_PEOPLE))' ./internal/e2e

# Longer forms of the lab's tests, with their figures.
soak: export LVS_SOAK ?= 5m
soak: one-TestLabSoak
kill: export LVS_KILLS ?= 200
kill: one-TestLabKill
flaps: export LVS_FLAPS ?= 360
flaps: one-TestLabNotify
hostile: export LVS_DATAGRAMS ?= 1000000
hostile: one-TestLabFaultHostileManagers
one-%:
	@.ci/setup test
	@$(MAKE) --no-print-directory build build/labnet
	CGO_ENABLED=0 LABNET=$(CURDIR)/build/labnet go test -v -count 1 -timeout 70m -tags lab -exec '$(LAB) --timeout 4000 --' -run '^$*$$' ./internal/e2e

# The long form of the store's tests of what may happen to its files.
damage: export LVS_KILLS ?= 1000
damage: export LVS_POWER_CUTS ?= 2000
damage: export LVS_FLIPS ?= 20
damage:
	go test -v -count 1 -timeout 3h -run '^(TestKillLoses|TestPowerCut|TestFlippedBytes)' ./rrdstore

# Every fuzz target for a while, one after the other. What fails is kept below
# testdata/fuzz; without such a file it was the engine, which at times misses its
# own deadline.
FUZZ ?= 20s
fuzz:
	@set -e -o pipefail; grep -rno --include=*_test.go '^func Fuzz[A-Za-z0-9]*' . | while IFS=: read -r file _ name; do \
		go test -run '^$$' -fuzz "^$${name#func }$$" -fuzztime $(FUZZ) -fuzzminimizetime 10x "./$$(dirname "$$file")" || \
			[ -z "$$(git status --porcelain | grep testdata/fuzz)" ]; \
	done

bench:
	@.ci/setup bench
	@$(MAKE) --no-print-directory build build/labnet
	@go run ./internal/bench $(B)

# Programs with their man pages, MIBs and systemd units, which are neither enabled
# nor started. It builds nothing: make build is for anyone, this is for
# root. A package has DESTDIR, PREFIX=/usr, UNITDIR=/usr/lib/systemd/system and
# SYSUSERSDIR=/usr/lib/sysusers.d.
# RUNBOOK is where those who read an alert find the runbook; it goes into its
# runbook_url. Without one that is the file as installed here.
PREFIX ?= /usr/local
UNITDIR ?= /etc/systemd/system
SYSUSERSDIR ?= /etc/sysusers.d
RUNBOOK ?= file://$(PREFIX)/share/lvs-agent/prometheus/RUNBOOK.md
install:
	@[ -x build/lvs-agent ] && [ -x build/lvs-exporter ] && [ -e build/lvs-exporter.1 ] || { echo "nothing is built yet: make build"; exit 1; }
	install -D -m 755 build/lvs-agent $(DESTDIR)$(PREFIX)/sbin/lvs-agent
	install -D -m 755 build/lvs-exporter $(DESTDIR)$(PREFIX)/bin/lvs-exporter
	install -D -m 644 build/lvs-agent.8 $(DESTDIR)$(PREFIX)/share/man/man8/lvs-agent.8
	install -D -m 644 build/lvs-exporter.1 $(DESTDIR)$(PREFIX)/share/man/man1/lvs-exporter.1
	for p in lvs-agent lvs-exporter; do install -D -m 644 build/$$p.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$p; done
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/snmp/mibs mib/*.txt
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/lvs-agent/cacti $(wildcard dashboards/cacti/*.xml dashboards/cacti/*.md dashboards/cacti/*.php dashboards/cacti/*.sh)
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/lvs-agent/cacti/resource/snmp_queries dashboards/cacti/resource/snmp_queries/*.xml
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/lvs-agent/prometheus dashboards/prometheus/*.yml dashboards/prometheus/RUNBOOK.md
	sed -i 's|runbook_url: RUNBOOK.md|runbook_url: $(RUNBOOK)|' $(DESTDIR)$(PREFIX)/share/lvs-agent/prometheus/lvs.alerts.yml
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/lvs-agent/grafana dashboards/grafana/*.json
	for f in datasources dashboards; do install -D -m 644 dashboards/grafana/provisioning/$$f/lvs.yml $(DESTDIR)$(PREFIX)/share/lvs-agent/grafana/provisioning/$$f/lvs.yml; done
	for p in lvs-agent lvs-exporter; do \
		install -D -m 644 cmd/$$p/$$p.sysusers $(DESTDIR)$(SYSUSERSDIR)/$$p.conf && \
		install -D -m 644 cmd/$$p/$$p.service $(DESTDIR)$(UNITDIR)/$$p.service && \
		sed -i 's|/usr/local|$(PREFIX)|' $(DESTDIR)$(UNITDIR)/$$p.service || exit; \
	done

clean:
	rm -rf build

FORCE:
.PHONY: build install run test check unit lab lab-packages lab-faults lab-windows lab-people soak kill flaps hostile damage fuzz bench clean FORCE
