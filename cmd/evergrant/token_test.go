package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Scripts tell by the exit code who has to act.
func TestAPullEndsWithACodeThatSaysWhoHasToAct(t *testing.T) {
	binary := built(t)
	answers := map[string]struct {
		status int
		body   string
		code   int
	}{
		"good":    {200, `{"access_token": "at-1"}`, 0},
		"ended":   {409, `{"title": "A person is needed", "reauthorize_url": "https://hub.example/r/x"}`, 3},
		"unknown": {404, `{"title": "There is no such connection"}`, 4},
		"refused": {403, `{"title": "The key may not"}`, 4},
		"busy":    {429, `{"title": "Too many requests"}`, 5},
		"waiting": {503, `{"title": "Renewal in progress"}`, 5},
		"blocked": {502, `{"title": "The service refused"}`, 6},
		"broken":  {500, `{"title": "Internal error"}`, 6},
		"wrong":   {422, `{"title": "min_ttl is no time"}`, 1},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := answers[strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/connections/"), "/")[0]]
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.body))
	}))
	t.Cleanup(server.Close)
	pull := func(address string, arguments ...string) (string, int) {
		command := exec.CommandContext(t.Context(), binary, append([]string{"token"}, arguments...)...)
		command.Env = append(os.Environ(), "EVERGRANT_API_KEY=key", "EVERGRANT_URL="+address)
		out, err := command.Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return string(out), exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		return string(out), 0
	}
	for name, a := range answers {
		if _, code := pull(server.URL, "get", name); code != a.code {
			t.Errorf("%s: exit code %d, not %d", name, code, a.code)
		}
	}
	if out, code := pull(server.URL, "good"); code != 0 || out != "at-1\n" {
		t.Errorf("the short form prints %q and ends with %d", out, code)
	}
	if _, code := pull("http://127.0.0.1:1", "good"); code != exitLater {
		t.Errorf("without a hub it ends with %d", code)
	}
}
