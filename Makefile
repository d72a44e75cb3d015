# platewatch: `make help` lists what can be done here.

SHELL := /bin/sh
BIN   := build/platewatch
DATA  ?= ../shared/data
ARGS  ?=
CLIPS ?=

# Everything that may go into the binary: also what is embedded, such as models, formats and tables.
SOURCES := $(shell find cmd capture ocr hotlist uplink -type f ! -name '*_test.go' ! -name '*.md' ! -name '*.py*' ! -path '*/testdata/*') deploy/version.go deploy/CHANGELOG.md go.mod go.sum

.DEFAULT_GOAL := help
.PHONY: help build demo test test-race test-pure test-floors traffic soak faults attack page field lint bench cost cutoff groups media model lettering ranker judge reads deb board board-short clean packages

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  make demo ARGS=-forever                    keep running, to look at the status page'
	@echo '  make demo CLIPS=DIR                        play the clips in DIR; its truth.tsv is the hotlist'
	@echo '  make bench DATA=DIR                        DIR/frames/*, DIR/crops/*, ... each with a truth.tsv'

build: $(BIN) ## build/platewatch and build/platewatch-decode (installs the Debian packages it needs)

$(BIN): $(SOURCES)
	@deploy/tools/packages build
	@echo "building $(BIN) (the first time takes a minute or two)"
	@go build -o $(dir $(BIN)) ./cmd/platewatch ./cmd/platewatch-decode

demo: $(BIN) ## the whole system on this machine, nothing to configure
	@$(if $(CLIPS),deploy/tools/packages clips)
	@$(BIN) demo $(if $(CLIPS),-clips '$(CLIPS)') $(ARGS)

# Tests wait for disks, brokers and cameras more than they compute, so that more of them run
# side by side than there are cores. What paints the rendered pictures shares nothing and starts no
# goroutine, and takes several times as long under the race detector, so it goes without.
# With matprofile a Mat that a test leaves open fails it.
TESTS  := go test -vet=off -p 3 -timeout 40m
PAINTS := platewatch/ocr/render/paint platewatch/ocr/render/sensor golang.org/x/image/vector

test: packages ## all checks of the code and all tests, as CI runs them
	@$(MAKE) --no-print-directory --output-sync=line -j 2 test-race lint test-pure test-floors

# The longest first: the others run beside it, one after the other.
test-race:
	$(TESTS) -race $(PAINTS:%=-gcflags=%=-race=false) -tags matprofile ./...

test-pure:
	CGO_ENABLED=0 $(TESTS) -parallel 4 ./hotlist/... ./uplink/...

test-floors:
	$(TESTS) -run Floors ./cmd/platewatch/internal/bench
	@test -d ../shared/data || echo "skipped: the accuracy floors on real pictures, because ../shared/data is not here (go test -v names each)"

traffic: packages ## one passage a vehicle? 240 rendered vehicles, 1–3 lanes, day and night (10 minutes)
	go test ./cmd/platewatch/internal/observe -run Traffic -v -timeout 2h -vehicles 240 -fps 25
	PLATEWATCH_MESSAGES=1 go test ./cmd/platewatch/internal/unit -run MessagesPerHit -v -timeout 2h

soak: packages ## five cameras through 1,000 faults, and a decoder killed or stopped 1,000 times (1.5 hours)
	MALLOC_ARENA_MAX=1 go test -tags matprofile ./capture -run 'Soak|KilledDecoders' -v -timeout 4h -cameras 5 -cycles 1000 -kills 1000

FUZZTIME ?= 60s
FAULTS   ?= Fault|KillNine|PowerLoss|FullDisk|ReadOnlyRemount|TestDamage$$|Fleet

faults: packages ## what becomes of hits when power, disk, network and brokers fail, then every fuzz target: a table (75 minutes)
	@mkdir -p build && rm -f build/faults.tsv
	@echo "lines of the table are added to build/faults.tsv as they come; FAULTS=Fleet runs only some"
	@PLATEWATCH_FAULTS=$(CURDIR)/build/faults.tsv go test -count=1 -p 1 -timeout 3h \
	  -run '$(FAULTS)' ./uplink/... ./hotlist/... ./deploy/broker ./cmd/platewatch; failed=$$?; \
	FUZZTIME=$(FUZZTIME) deploy/tools/fuzz build/faults.tsv || failed=1; \
	awk -F '\t' '{printf "%-50s %-7s %s\n", $$1, $$2, $$3}' build/faults.tsv; exit $$failed

attack: packages ## what was tried against the unit, from outside and on its disk, and what came of it: a table
	@go run ./deploy/tools/cases attack build/attack.tsv

NODE_RED := build/node-red/node_modules/.bin

field: ## what cameras, lists, proxies and brokers of the field do, against real servers: a table
	@deploy/tools/packages field
	@test -x $(NODE_RED)/node-red || npm install --silent --no-audit --no-fund --omit=optional --prefix build/node-red node-red@4.1.15 || echo "skipped: Node-RED, which npm could not install"
	@PATH="$(CURDIR)/$(NODE_RED):$$PATH" go run ./deploy/tools/cases field build/field.tsv

AXE ?= axe-core-4.10.3

page: packages ## the page in chromium: a camera with each fault, axe-core, screenshots in build/page (5 minutes; npm fetches axe-core)
	@mkdir -p build/page build/axe
	@test -f build/axe/package/axe.min.js || (cd build/axe && npm pack $(subst core-,core@,$(AXE)) && tar xzf $(AXE).tgz)
	go test -count=1 ./cmd/platewatch/internal/status -run InBrowser -v -shots $(CURDIR)/build/page -axe $(CURDIR)/build/axe/package/axe.min.js
	PLATEWATCH_PAGE=$(CURDIR)/build/page go test -count=1 -timeout 30m ./cmd/platewatch/internal/aim ./cmd/platewatch/internal/unit -run 'Faults|InBrowser' -v

packages:
	@deploy/tools/packages test

lint: ## formatting, vet, staticcheck, lost errors, unused exports, dead code, documents, commit subjects
	@deploy/tools/packages build
	@go run ./deploy/tools/lint

bench: $(BIN) ## accuracy and speed on labelled folders; writes build/bench.html
	@$(BIN) bench -html build/bench.html $(dir $(wildcard $(DATA)/*/*/truth.tsv))
	@echo "failures as pictures: build/bench.html"

cutoff: $(BIN) ## what is reported of plates that the picture's end cuts off (20 minutes)
	@$(BIN) bench -cut $(DATA)/frames/eu:eu $(DATA)/frames/us:us $(DATA)/frames/br:br $(DATA)/frames/fr:fr $(DATA)/frames/us_carpark:us $(DATA)/crops/us:us

# Folders that rendergroups writes, with the region that the reader is told.
GROUPS_WHOLE := short-de:de short-uk:uk short-us:us two-row-eu:eu two-row-uk:uk two-row-br:br obstacle-eu:eu obstacle-uk:uk obstacle-us:us obstacle-br:br
GROUPS_CUT   := road-eu:eu road-uk:uk road-us:us road-br:br

groups: $(BIN) ## is the reader as sure as it is right of short, two-row, obstructed and cut-off plates? (20 minutes)
	@go run ./ocr/scenes/cmd/rendergroups build/groups
	@$(BIN) bench $(addprefix build/groups/,$(GROUPS_WHOLE))
	@$(BIN) bench -cut $(addprefix build/groups/,$(GROUPS_CUT))

COST ?=

cost: ## instructions to decode, find and read fixed pictures, on amd64 and arm64, against ocr/cost.tsv (COST='-region eu a.jpg': others)
	@deploy/tools/packages cost
	@nice go run ./ocr/cmd/cost $(COST)

media: ## render the demo's clip and the test pictures anew
	@deploy/tools/packages test
	go generate ./cmd/platewatch/internal/demo/media ./ocr/render/...

model: ## train the reading model anew, on rendered plates (hours; can be interrupted)
	@ocr/train/model.sh $(DATA)

lettering: ## train the model for names and signs around the number anew (1.5 hours; can be interrupted)
	@ocr/train/lettering.sh

ranker: ## fit the finder's ranking to rendered pictures anew (5 to 15 minutes)
	@deploy/tools/packages build
	go run ./ocr/find/cmd/fitrank -o ocr/find/weights.go

judge: ## fit how readings are judged to the labelled frames anew (minutes)
	@deploy/tools/packages build
	go run ./ocr/judge/cmd/fitjudge -o ocr/judge/weights.go -data $(DATA)

reads: ## measure anew how passages are misread, for hotlist stats -simulate (10 to 30 minutes)
	@deploy/tools/packages build
	go run ./ocr/passage/cmd/tallyreads -workers 2 -o hotlist/simulate/reader.tsv -data $(DATA)

DEBS ?=

deb: ## Debian packages for arm64, amd64 and armhf, Debian 12 and 13 (DEBS=bookworm/arm64: only that) into build/deb
	@deploy/tools/packages deb
	@nice go run ./deploy/tools/deb $(DEBS)

BOARD ?=

board: ## the package on an emulated arm64 board: plates, faults, power cuts, upgrades: a table
	@deploy/tools/packages board
	@nice -n 5 go run ./deploy/board $(BOARD) build/board.tsv

board-short: ## the same as far as boot, installation, the first hit and the watchdog (4 minutes, and 10 the first time)
	@$(MAKE) --no-print-directory board BOARD=-short

clean: ## remove what was built here
	rm -rf build
