# Everything is started from here; `make` lists it. Long shell is in scripts/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# ARGS is handed on: make run ARGS=--listen=:9000, make test ARGS=-run=TestX.
ARGS ?=

.PHONY: help
help: ## List every target.
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Use it

.PHONY: build
build: ## Build the hub and all plugins into bin/.
	@scripts/build.sh

# Set these in the environment to run on another folder.
run: export EVERGRANT_DATA_DIR ?= $(if $(DEMO),./data-demo,./data)
run smoke-test: export EVERGRANT_PLUGINS_DIR ?= ./bin/plugins

.PHONY: run
run: build ## Build and run the hub on SQLite in ./data; with DEMO=1 beside emulated services, in ./data-demo; ARGS=… is handed on.
	bin/evergrant $(if $(DEMO),demo,serve) $(ARGS)

.PHONY: smoke-test
smoke-test: build ## Build and run the main job unattended: add, authorize, pull, renew; fails if a check does not hold.
	bin/evergrant smoke-test $(ARGS)

##@ Test it

.PHONY: test
test: bin/.stamp-test ## Run every test with -race, on SQLite, PostgreSQL and in Chromium; installs what is missing; ARGS=… is handed to go test.
	@scripts/test.sh $(ARGS)

.PHONY: test-short
test-short: ## Run the tests that need no PostgreSQL, no browser, no whole hub and no build of a command: a minute once all is compiled.
	go test -short -ldflags="-s -w" $(ARGS) ./... ./sdk/... ./plugins/...

.PHONY: cover
cover: ## Print how many statements of each package its own tests run; fails if a package of the lower floors is under its mark.
	@scripts/cover.sh $(ARGS)

.PHONY: e2e
e2e: bin/.stamp-test ## Run the tests of whole hubs, the API's and those that click through the pages in Chromium; ARGS=-run=… chooses.
	@scripts/test.sh $(ARGS) ./hub/test/e2e ./hub/test/browser

.PHONY: browser
browser: bin/.stamp-test ## Run only the tests that click through the pages in Chromium, with what assistive technology meets there; ARGS=-run=… chooses.
	@scripts/test.sh $(ARGS) ./hub/test/browser

.PHONY: foreign
foreign: bin/.stamp-test ## Run a whole hub against authorization servers that were written by others; installs them; ARGS=-run=… chooses.
	@scripts/test.sh $(ARGS) ./hub/test/foreign ./plugins/oauth2

.PHONY: chaos
chaos: ## Kill, freeze and race hubs and take everything away from them; SHORT=1 takes about 90 s; ARGS="-only=random -seed=7 -for=10m" chooses.
	@scripts/chaos.sh $(if $(SHORT),-short) $(ARGS)

.PHONY: fuzz
fuzz: ## Feed every fuzz target for FUZZTIME (1m) each; FUZZTIME=5s is the short form, FUZZ=Manifest chooses.
	@scripts/fuzz.sh

.PHONY: simulate
simulate: ## Run three replicas through a seed's troubles in virtual time; a few minutes; ARGS="-seed=42 -worlds=1 -for=2h" repeats one.
	go test -tags simulation -run BetweenTwoSecrets ./hub/internal/tokensource
	go test -tags simulation -timeout 60m -v ./hub/internal/simulation $(ARGS)

.PHONY: drill
drill: ## Play the fire drill: a grant ends, people are told step by step, a hub dies meanwhile; fails if a message is lost or doubled.
	@scripts/chaos.sh -drill

.PHONY: quickstart
quickstart: build ## Start the hub as the README says, alone and beside the emulated services, and look whether it serves.
	@scripts/quickstart.sh

.PHONY: documented-commands
documented-commands: ## Run the commands of README and docs in a fresh clone beside a hub; the log is in .cache/.
	@scripts/documented-commands.sh

.PHONY: proxies
proxies: ## Run the nginx and Caddy samples of docs/deploying.md in front of a hub; installs both.
	@scripts/proxies.sh

.PHONY: plugin-cases
plugin-cases: ## Run every case of docs/plugin-host.md with real processes; ARGS=-write notes the results there.
	@scripts/plugin-cases.sh $(ARGS)

.PHONY: compat
compat: ## Run hub and plugins of today with those of the baseline (proto/BASELINE; BASE=… names another); FULL=1 tries every plugin.
	@scripts/compat.sh

.PHONY: attack
attack: ## Play the attacks of docs/threat-model.md; ARGS=-write notes the results there, ARGS=-defects=scripts/cases/defects.json plants defects.
	@scripts/attack.sh $(ARGS)

.PHONY: author-walk
author-walk: ## Play the way of a third party's plugin, from an empty folder to a pulled token.
	@scripts/author-walk.sh

.PHONY: bench
bench: ## Run the benchmarks; ARGS=-bench=Pull chooses.
	@scripts/bench.sh $(ARGS)

.PHONY: bench-pair
bench-pair: ## Compare with another revision in turn, on a durable PostgreSQL: make bench-pair ARGS="main --runs=3".
	@scripts/bench-pair.py $(ARGS)

##@ Check it

.PHONY: check
check: generate-check tidy-check gowork-off lint ## Run all checks that are not tests.

.PHONY: lint
lint: bin/.stamp-lint bin/.stamp-generate ## Lint the Go code of all modules and the provider contract.
	@scripts/lint.sh

.PHONY: vet
vet: ## Run go vet on all modules.
	go vet ./... ./sdk/... ./plugins/...

.PHONY: generate-check
generate-check: bin/.stamp-generate ## Fail if generated code is not current.
	@scripts/generate-check.sh

.PHONY: openapi-lint
openapi-lint: ## Hold the API's OpenAPI document against Spectral and Redocly; installs them into .cache/.
	@scripts/openapi-lint.sh

.PHONY: outdated
outdated: ## List direct dependencies that are behind and known weaknesses in what is called; STRICT=1 fails for either.
	@scripts/outdated.sh

.PHONY: tidy-check
tidy-check: ## Fail if a go.mod or go.sum is not tidy.
	@scripts/tidy-check.sh

.PHONY: targets-check
targets-check: ## Run every target in a clone of its own, long ones in their short form; ARGS="lint smoke-test" chooses, FULL=1 runs long ones whole.
	@FULL=$(FULL) scripts/targets.sh $(ARGS)

.PHONY: gowork-off
gowork-off: ## Build each module on its own, without go.work.
	@scripts/gowork-off.sh

.PHONY: proto-breaking
proto-breaking: bin/.stamp-generate ## Fail if the provider contract breaks plugins built for the main branch.
	@scripts/proto-breaking.sh

##@ Change it

.PHONY: generate
generate: bin/.stamp-generate ## Write the generated code: protobuf, gRPC, templ, the reference of the contract.
	@scripts/generate.sh

.PHONY: assets
assets: ## Vendor the web hub's third-party styles, scripts and icons again.
	@scripts/vendor-assets.sh

.PHONY: screenshots
screenshots: build ## Take pictures of every page into .cache/screenshots; ARGS=--keep renews those of docs/screenshots.
	@scripts/screenshots.sh $(ARGS)

.PHONY: clean
clean: ## Remove bin/ with the tools in it, and dist/; ./data, which holds grants, is kept.
	rm -rf bin dist

##@ Release it

.PHONY: dist
dist: ## Make archives for linux on amd64 and arm64 in dist/, with their sums and SBOMs, and look at them; DIST_ARCHS=amd64 makes fewer.
	@scripts/dist.sh
	@scripts/dist-check.sh

.PHONY: image
image: ## Make an image in dist/ without a daemon, as an OCI layout; ARGS=arm64 chooses the processor.
	@scripts/image.sh $(ARGS)

.PHONY: image-check
image-check: image ## Start the image's root filesystem, read-only and as a user without rights, and look whether it serves; needs root.
	@scripts/image-check.sh

.PHONY: release-check
release-check: ## Make a release in a clone, serve it from a module proxy of files, and install it: go install of the hub, go get of the SDK.
	@scripts/release-check.sh

# The tools of tools/go.mod, in groups because building them takes minutes the
# first time and most targets need one group only. A stamp is older than
# tools/go.mod when a version was changed.
install-tools = GOWORK=off GOBIN="$(CURDIR)/bin" go -C tools install

bin/.stamp-generate: tools/go.mod
	@echo "installing the generators into bin/ (a minute or two the first time)"
	@$(install-tools) github.com/bufbuild/buf/cmd/buf google.golang.org/protobuf/cmd/protoc-gen-go \
		google.golang.org/grpc/cmd/protoc-gen-go-grpc github.com/a-h/templ/cmd/templ
	@touch $@

bin/.stamp-test: tools/go.mod
	@$(install-tools) gotest.tools/gotestsum
	@touch $@

bin/.stamp-lint: tools/go.mod
	@echo "installing the linter into bin/ (a minute or two the first time)"
	@$(install-tools) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@
