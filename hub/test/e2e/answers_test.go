package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// answersPage is written from what these tests see: run them with
// EVERGRANT_WRITE_ANSWERS=1 after a change.
const answersPage = "../../../docs/answers.md"

// answerRow is a line of the page: an input, and what the hub was seen to do with it.
type answerRow struct{ cause, service, input, does, who, source string }

// wireAnswer is an answer to a refresh; the file is that of sdk/oauth.
type wireAnswer struct {
	Cause, Service, Source string
	Status                 int
	Header                 map[string]string
	Body, Base64           string
}

func (w wireAnswer) body() []byte {
	if w.Base64 == "" {
		return []byte(w.Body)
	}
	raw, _ := base64.StdEncoding.DecodeString(w.Base64)
	return raw
}

func (w wireAnswer) input() string {
	said := w.Body
	if w.Base64 != "" {
		said = "(in windows-1251)"
	}
	if said == "" {
		said = "(no body)"
	}
	said = strings.Join(strings.Fields(said), " ")
	if runes := []rune(said); len(runes) > 120 {
		said = string(runes[:120]) + "…"
	}
	return fmt.Sprintf("refresh answered by %d `%s`", w.Status, strings.ReplaceAll(said, "|", `\|`))
}

// answering is a service whose every endpoint answers as it is told.
type answering struct {
	*httptest.Server
	mu sync.Mutex
	// by path; what is not there is a token set of an hour.
	answers map[string]func(w http.ResponseWriter, form url.Values)
	asked   map[string]int
}

func startAnswering(t *testing.T) *answering {
	t.Helper()
	a := &answering{answers: map[string]func(http.ResponseWriter, url.Values){}, asked: map[string]int{}}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		form, _ := url.ParseQuery(string(body))
		a.mu.Lock()
		a.asked[req.URL.Path]++
		answer := a.answers[req.URL.Path]
		a.mu.Unlock()
		if answer == nil {
			answer = firstTokens
		}
		answer(w, form)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *answering) on(path string, answer func(w http.ResponseWriter, form url.Values)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[path] = answer
}

func (a *answering) count(path string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[path]
}

func firstTokens(w http.ResponseWriter, _ url.Values) {
	reply(w, 200, `{"access_token":"first-access","refresh_token":"first-refresh","expires_in":3600}`)
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// served adds a service of the provider oauth2 at paths of its own, and a connection that
// is named as it is. options add to the service's.
func served(t *testing.T, r *hubtest.Running, a *answering, name string, options map[string]any) {
	t.Helper()
	all := map[string]any{
		"authorization_endpoint": a.URL + "/authorize", "token_endpoint": a.URL + "/token/" + name, "pkce": "none", "client_auth": "client_secret_post",
	}
	maps.Copy(all, options)
	r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
		"name": name, "title": name, "provider": "oauth2", "client_id": "the-client", "client_secret": "the-secret-of-it", "scopes": []string{"read"}, "options": all,
	}, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": name, "name": name, "title": name}, nil)
}

// comeBack is a browser's callback of an authorization that was just started.
func comeBack(t *testing.T, r *hubtest.Running, name, query string) *http.Request {
	t.Helper()
	var s hubtest.Started
	r.Admin.Must(t, "POST", "/api/v1/connections/"+name+"/authorizations", nil, &s)
	u, err := url.Parse(s.AuthorizeURL)
	if err != nil {
		t.Fatal(err)
	}
	query = strings.ReplaceAll(query, "STATE", u.Query().Get("state"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.Hub.URL()+"/callback/"+name+"?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: s.BrowserCookie.Name, Value: s.BrowserCookie.Value})
	return req
}

func granted(t *testing.T, r *hubtest.Running, name string) {
	t.Helper()
	if status, page := hubtest.Send(t, comeBack(t, r, name, "code=the-code&state=STATE")); status != http.StatusOK {
		t.Fatalf("%s: the callback answered %d\n%s", name, status, page)
	}
}

// observed is the state that the tests read of a connection.
type observed struct {
	Status      string     `json:"status"`
	Generation  int64      `json:"generation"`
	Renewable   bool       `json:"renewable"`
	ValidUntil  *time.Time `json:"valid_until"`
	NextRenewal *time.Time `json:"next_renewal"`
	LastError   *struct {
		Kind, Code, Message string
		At                  time.Time
	} `json:"last_error"`
}

func observe(t *testing.T, r *hubtest.Running, name string) observed {
	t.Helper()
	var s observed
	r.Admin.Must(t, "GET", "/api/v1/connections/"+name, nil, &s)
	return s
}

// seen says in words what a renewal came to, by nothing but how the connection stands.
func seen(before, after observed) (does, who string) {
	f := after.LastError
	switch {
	case after.Status == "needs_authorization":
		return "the grant is over: renewals stop, the tokens stay, pulls answer 409 with the link once the access token is over", "the person"
	case after.Status == "needs_operator":
		return "the tokens stay; tried again slowly, 5 min to 6 h apart", "the operator"
	case after.Generation > before.Generation && f != nil:
		return "the new refresh token is kept beside the old access token; tried again at once", "nobody"
	case after.Generation > before.Generation && after.ValidUntil == nil:
		return "the token set is kept; its end is taken for unknown, so it is renewed when a process says that it was rejected", "nobody"
	case after.Generation > before.Generation:
		return fmt.Sprintf("the token set is kept, renewed before its end %s from now", time.Until(*after.ValidUntil).Round(time.Minute)), "nobody"
	case f == nil && after.NextRenewal.After(*after.ValidUntil):
		return "the grant stays as it is, and nothing is counted: the renewal waits until the token is over, and so do those after it", "nobody"
	case f == nil:
		return "nothing", "nobody"
	case f.Kind == "internal" && f.Code == "":
		return "the tokens stay; tried again with growing pauses, 1 s to 5 min apart, and logged as an answer that makes no sense", "nobody"
	case f.Kind == "internal":
		return "the tokens stay; tried again with growing pauses, and told as a refusal that nobody knows; after five in two hours a person is asked, if the grant alone is refused", "nobody, then the person"
	case after.NextRenewal.Sub(f.At) > 20*time.Minute:
		return "the tokens stay; the service may have done what was asked, so the one try that is left waits until the access token is nearly over", "nobody"
	case after.NextRenewal.Sub(f.At) > 90*time.Second:
		return "the tokens stay; this connection alone is tried again when the service asked for it", "nobody"
	default:
		return "the tokens stay; tried again with growing pauses, 1 s to 5 min apart", "nobody"
	}
}

// TestAnswersOfServices drives each answer through a real plugin of a running hub, and
// holds the page to what comes of it.
func TestAnswersOfServices(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../sdk/oauth/testdata/answers.json")
	if err != nil {
		t.Fatal(err)
	}
	var wires []wireAnswer
	if err := json.Unmarshal(data, &wires); err != nil {
		t.Fatal(err)
	}
	r, a := hubtest.StartHub(t, nil), startAnswering(t)
	var rows []answerRow
	for i, w := range wires {
		name := fmt.Sprintf("answer-%d", i)
		served(t, r, a, name, nil)
		granted(t, r, name)
		a.on("/token/"+name, func(rw http.ResponseWriter, _ url.Values) {
			for header, value := range w.Header {
				rw.Header().Set(header, value)
			}
			if w.Header["Content-Type"] == "" {
				rw.Header()["Content-Type"] = nil
			}
			rw.WriteHeader(w.Status)
			_, _ = rw.Write(w.body())
		})
		before := observe(t, r, name)
		r.Admin.Do(t, "POST", "/api/v1/connections/"+name+"/renew", nil)
		after := observe(t, r, name)
		if status, _ := r.Admin.Do(t, "GET", "/api/v1/connections/"+name+"/token", nil); status != http.StatusOK {
			t.Errorf("%s: the token that is still valid is not served: %d", w.Cause, status)
		}
		does, who := seen(before, after)
		rows = append(rows, answerRow{w.Cause, w.Service, w.input(), does, who, w.Source})
	}
	rows = append(rows, moreAnswers(t, r, a)...)
	holdAnswersPage(t, rows)
}

// holdAnswersPage compares the page with what was seen, or writes it.
func holdAnswersPage(t *testing.T, rows []answerRow) {
	t.Helper()
	causes := map[string]bool{}
	var b strings.Builder
	b.WriteString("# What services answer, and what the hub does\n\n" +
		"This page is written by a test (`hub/test/e2e/answers_test.go`): each input is given to a running hub through a real plugin, and the\n" +
		"columns *what the hub does* and *who acts* are what the test then sees. The test fails if the page is not up to date;\n" +
		"`EVERGRANT_WRITE_ANSWERS=1 go test -run TestAnswersOfServices ./hub/test/e2e` writes it anew.\n\n" +
		"| # | cause | seen at | input | what the hub does | who acts | source |\n|---|---|---|---|---|---|---|\n")
	for i, row := range rows {
		causes[row.cause] = true
		source := row.source
		if address, rest, _ := strings.Cut(source, " "); strings.HasPrefix(source, "https://") {
			source = strings.TrimSpace("<" + address + "> " + rest)
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s | %s |\n", i+1, row.cause, row.service, row.input, row.does, row.who, source)
	}
	fmt.Fprintf(&b, "\n%d inputs of %d causes.\n", len(rows), len(causes))
	if len(rows) < 80 || len(causes) < 40 {
		t.Errorf("the page has %d rows of %d causes, want at least 80 of 40", len(rows), len(causes))
	}
	if os.Getenv("EVERGRANT_WRITE_ANSWERS") != "" {
		if err := os.WriteFile(answersPage, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	page, err := os.ReadFile(answersPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) == b.String() {
		return
	}
	want, got := strings.Split(string(page), "\n"), strings.Split(b.String(), "\n")
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("%s is not up to date from line %d on; the hub does:\n%s", answersPage, i+1, strings.Join(got[min(i, len(got)-1):min(i+1, len(got))], "\n"))
		}
	}
}
