package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// tags are the groups of the document, in the order in which a reader needs them.
var tags = []*huma.Tag{
	{Name: "Tokens", Description: "What processes do: pull a valid access token by name, and say that a service has rejected one."},
	{Name: "Connections", Description: "The access that one person has granted to one service, by name: make, authorize, renew, pause, move to the trash."},
	{Name: "Services", Description: "Registrations at services: provider, client ID and secret, scopes, options."},
	{Name: "Providers", Description: "Kinds of services that the installed plugins speak to."},
	{Name: "API keys", Description: "Keys of processes and administrators: scopes, connections, addresses, rotation."},
	{Name: "Definitions", Description: "Services that are described without code: check, save as a draft, enable, go back."},
	{Name: "Plugins", Description: "Packages of plugins: hand in, approve, enable, roll back, remove; keys that are trusted to sign them."},
	{Name: "Incidents", Description: "Failures by their cause, and the forecast of when people are needed."},
	{Name: "Audit", Description: "Who did what, in a chain that can be verified."},
	{Name: "Data", Description: "The hub's own data: copied folders, restored backups, what was withdrawn and is back."},
	{Name: "Hub", Description: "Life of the process: readiness, metrics, changes as they happen."},
}

// meanings describe the statuses that every operation shares.
var meanings = map[string]string{
	"401": "no key was sent, or one that is unknown, expired or revoked",
	"403": "the key may not do this, or not from this address",
	"404": "there is no such thing for this key",
	"409": "the present state does not allow it; the problem says what to do first",
	"413": "the body is larger than is taken",
	"422": "a field or parameter cannot be used as it is; the problem names each",
	"429": "too many requests; ask again after Retry-After",
	"500": "the hub failed; its log has the request's id",
	"502": "the service or its plugin answered with an error that the operator has to mend",
	"503": "not for the moment; ask again after Retry-After",
}

// complete puts into the document what is said of all operations alike, and the addresses
// that are served beside the API.
func complete(doc *huma.OpenAPI) {
	doc.Tags = tags
	doc.Info.Contact = &huma.Contact{Name: "Evergrant", URL: "https://github.com/evergrant/evergrant"}
	doc.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	for _, op := range beside() {
		doc.AddOperation(op)
	}
	for _, path := range doc.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Put, path.Post, path.Delete, path.Patch} {
			if op != nil {
				describe(op)
			}
		}
	}
}

// describe says what an operation does and what its statuses mean, unless that is said.
func describe(op *huma.Operation) {
	for status, reply := range op.Responses {
		if meaning := meanings[status]; meaning != "" && (reply.Description == "" || reply.Description == http.StatusText(number(status))) {
			reply.Description = strings.ToUpper(meaning[:1]) + meaning[1:] + "."
		}
	}
	if op.Description != "" {
		return
	}
	said := []string{op.Summary + "."}
	var statuses []string
	for status := range op.Responses {
		if meanings[status] != "" && number(status) != http.StatusInternalServerError {
			statuses = append(statuses, status)
		}
	}
	slices.Sort(statuses)
	for _, status := range statuses {
		said = append(said, status+": "+meanings[status]+".")
	}
	op.Description = strings.Join(said, " ")
}

func number(status string) int {
	n, _ := strconv.Atoi(status)
	return n
}

// beside are the operations that the hub serves without this package.
func beside() []*huma.Operation {
	text := func(description string) *huma.Response {
		return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: "string"}}}}
	}
	none := []map[string][]string{}
	return []*huma.Operation{
		{
			OperationID: "healthz", Method: http.MethodGet, Path: "/healthz", Tags: []string{"Hub"}, Summary: "Whether the process lives", Security: none,
			Description: "Answers as long as the process can answer at all, also while it waits for its database. A restart helps if it does not.",
			Responses:   map[string]*huma.Response{"200": text("It lives.")},
		},
		{
			OperationID: "readyz", Method: http.MethodGet, Path: "/readyz", Tags: []string{"Hub"}, Summary: "Whether the hub can serve", Security: none,
			Description: "200: requests may come. 503: they may not; the body names what is wrong, one line each.",
			Responses:   map[string]*huma.Response{"200": text("It is ready."), "503": text("It is not; one line for each reason.")},
		},
		{
			OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{"Hub"}, Summary: "Metrics for Prometheus", Security: bearer,
			Description: "The exposition format of Prometheus. Needs a key of the scope metrics:read; with metrics.listen it is served at that address alone, without a key. 401: no key was sent, or one that is unknown. 403: the key has not the scope. 404: it is served at metrics.listen.",
			Responses: map[string]*huma.Response{"200": text("The metrics."), "401": text("No key was sent, or one that is unknown."), "403": text("The key has not the scope metrics:read."),
				"404": text("They are served at metrics.listen.")},
		},
	}
}
