package page

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// problemsByField are what is wrong with fields, in both languages.
type problemsByField = map[string]i18n.Words

// problem is what is wrong with a field; empty if nothing is.
func problem(ctx context.Context, problems problemsByField, field string) string {
	return i18n.Text(ctx, problems[field])
}

// resultReasons are the reasons that have texts of their own; others are shown as
// an internal error.
var resultReasons = []string{
	"unknown_service", "unknown_state", "other_browser", "other_service", "wrong_issuer", "denied", "no_code",
	"expired_code", "operator", "transient", "still_waiting", "internal", "other_account", "not_pasted", "device_expired", "account_not_allowed", "account_not_told", "would_lose_renewal", "account_unproven",
	"entry_refused", "not_obtained",
}

func resultKey(v view.Result) string {
	if v.Reason == "" {
		return "result.done"
	}
	if slices.Contains(resultReasons, v.Reason) {
		return "result." + v.Reason
	}
	return "result.internal"
}

func resultService(ctx context.Context, v view.Result) string {
	if v.Service != nil {
		return v.Service.Title
	}
	return i18n.T(ctx, "result.the_service")
}

func resultTitle(ctx context.Context, v view.Result) string {
	return i18n.T(ctx, resultKey(v)+".title", "Service", resultService(ctx, v))
}

func resultText(ctx context.Context, v view.Result) string {
	switch {
	case v.Reason == "" && v.Ends && v.EndsAt.IsZero():
		return i18n.T(ctx, "result.done.text_open", "Service", resultService(ctx, v), "Name", v.Connection)
	case v.Reason == "" && v.Ends:
		return i18n.T(ctx, "result.done.text_ends", "Service", resultService(ctx, v), "Name", v.Connection, "Date", i18n.Clock(ctx, v.EndsAt))
	}
	return i18n.T(ctx, resultKey(v)+".text", "Service", resultService(ctx, v), "Name", v.Connection, "Wanted", v.Wanted, "Got", v.Got)
}

// backKey names the button by which an authorization can be started again.
func backKey(v view.Result) string {
	switch {
	case strings.HasPrefix(v.Back, "/connections/"):
		return "result.back"
	case v.Back == "/login":
		return "act.log_in"
	case v.Reason == "still_waiting", v.Back == "/connections":
		return "pages.to_connections"
	default:
		return "pages.again"
	}
}

// resultRemedy returns what to do: the provider's advice, or the hub's by reason.
func resultRemedy(ctx context.Context, v view.Result) string {
	if v.Cause != nil && !v.Cause.Remedy.IsZero() {
		return i18n.Text(ctx, v.Cause.Remedy)
	}
	return i18n.T(ctx, resultKey(v)+".remedy", "Service", resultService(ctx, v), "Wanted", v.Wanted)
}

// failureKey names the sentences of a page that could not be shown.
func failureKey(v view.Failure) string {
	switch v.Status {
	case 403:
		if v.Role {
			return "failure.role"
		}
		return "failure.forbidden"
	case 404, 405:
		return "failure.not_found"
	case 409:
		return "failure.detached"
	case 413:
		return "failure.too_large"
	case 429:
		if v.Busy {
			return "failure.busy"
		}
		return "failure.too_often"
	case 503:
		return "failure.away"
	default:
		return "failure.internal"
	}
}

// waitTitle returns why an attempt was limited.
func waitTitle(ctx context.Context, w view.Wait) string {
	if w.Others {
		return i18n.T(ctx, "login.busy")
	}
	return i18n.T(ctx, "login.wait")
}

// waitText returns how long to wait, to the second.
func waitText(ctx context.Context, w view.Wait) string {
	left := i18n.Duration(ctx, w.For)
	if w.Others {
		return i18n.T(ctx, "login.busy_text", "Time", left)
	}
	return i18n.T(ctx, "login.wait_text", "Time", left)
}

// WaitSentence is the text of a rate limit that a script shows.
func WaitSentence(ctx context.Context, w view.Wait) string {
	return waitTitle(ctx, w) + ". " + waitText(ctx, w)
}

// overviewAnswer summarizes what needs a person.
func overviewAnswer(ctx context.Context, v view.Overview) string {
	acute := v.Counts.Acute()
	switch {
	case v.Counts.Total == 0:
		return i18n.T(ctx, "overview.answer_none")
	case acute > 0:
		return i18n.N(ctx, "overview.answer_acute", acute) + " " + i18n.N(ctx, "overview.answer_rest", v.Counts.Total-acute)
	case len(v.Soon) > 0:
		return i18n.T(ctx, "overview.answer_soon", "Name", v.Soon[0].Title, "Date", until(ctx, v.Soon[0].StatusOrPersonDate()))
	default:
		return i18n.N(ctx, "overview.answer_well", v.Counts.Total)
	}
}

// connectionsAnswer summarizes the states of the connections.
func connectionsAnswer(ctx context.Context, v view.Connections) string {
	acute := v.StatusCounts.Acute()
	switch {
	case v.All == 0:
		return i18n.T(ctx, "connections.answer_none")
	case acute > 0:
		return i18n.N(ctx, "connections.answer_total", v.All) + " " + i18n.N(ctx, "overview.answer_acute", acute)
	default:
		return i18n.N(ctx, "connections.answer_total", v.All) + " " + i18n.T(ctx, "connections.answer_well")
	}
}

// pluginsAnswer summarizes whether the plugins run.
func pluginsAnswer(ctx context.Context, plugins []view.Plugin) string {
	bad := 0
	for _, p := range plugins {
		if pluginBad(p) {
			bad++
		}
	}
	switch {
	case len(plugins) == 0:
		return i18n.T(ctx, "plugins.answer_none")
	case bad > 0:
		return i18n.N(ctx, "plugins.answer_bad", bad)
	default:
		return i18n.N(ctx, "plugins.answer_well", len(plugins))
	}
}

func pluginBad(p view.Plugin) bool { return p.State() == "failed" || p.State() == "backoff" }

// pluginClass is the colour of a plugin's state.
func pluginClass(p view.Plugin) string {
	switch p.State() {
	case "failed":
		return "is-needs_authorization"
	case "backoff":
		return "is-needs_operator"
	case "ready":
		return "is-fresh"
	case "starting", "stopping":
		return "is-retrying"
	default:
		return "is-paused"
	}
}

// packageClass is the colour of a version's state.
func packageClass(p installer.Package) string {
	switch p.State {
	case installer.Quarantined:
		return "is-needs_authorization"
	case installer.Staged:
		return "is-needs_operator"
	default:
		return "is-paused"
	}
}

// proofClass is the colour of what a version's author has proven.
func proofClass(p installer.Package) string {
	switch p.Proof() {
	case installer.ProofWhole:
		return "is-fresh"
	case installer.ProofFailed:
		return "is-needs_authorization"
	default:
		return "is-needs_operator"
	}
}

func pluginURL(name string) templ.SafeURL { return templ.URL("/plugins/" + url.PathEscape(name)) }

// deprecatedWhat names what a plugin should not use any more.
func deprecatedWhat(ctx context.Context, d pluginhost.Deprecation) string {
	switch {
	case d.Field != "":
		return i18n.T(ctx, "plugins.deprecated_field", "Name", d.Field)
	case d.Feature != "":
		return i18n.T(ctx, "plugins.deprecated_feature", "Name", d.Feature)
	}
	return i18n.T(ctx, "plugins.deprecated_sdk", "Version", d.SDKBefore)
}

// nameURL is where an owner agrees to a key for a name of providers.
func nameURL(name, key string) string {
	return "/plugin-names/" + url.PathEscape(name) + "/agree/" + url.PathEscape(key)
}

func packageURL(p installer.Package, act string) templ.SafeURL {
	return templ.URL("/plugin-packages/" + p.Sum + "/" + act)
}

// sandboxWord distinguishes a plugin that has not run from one without a sandbox.
func sandboxWord(p view.Plugin) string {
	if p.Status.Sandbox == sandbox.Off {
		return "off"
	}
	return "unknown"
}

// grantTitle is the title of the page of a link.
func grantTitle(ctx context.Context, v view.Grant) string {
	if v.Refused != "" {
		return i18n.T(ctx, "grant_refused."+v.Refused+".title")
	}
	if v.Entry.Grant != "" {
		return i18n.T(ctx, "obtain.link_title."+string(v.Entry.Grant), "Service", v.Service.Title)
	}
	return i18n.T(ctx, "grant.title", "Service", v.Service.Title)
}

// grantLead is who asks for what on the page of a link.
func grantLead(ctx context.Context, v view.Grant) string {
	key := "grant.lead"
	if v.Entry.Grant != "" {
		key = "obtain.link_lead." + string(v.Entry.Grant)
	}
	if v.ByDevice {
		key = "device.link_lead"
	}
	return i18n.T(ctx, key, "By", v.By, "Service", v.Service.Title, "Name", v.Connection)
}

// grantLasts describes how long an access lasts.
func grantLasts(ctx context.Context, v view.Grant) string {
	if v.Provider.AutoRenew == provider.AutoRenewNone {
		return i18n.T(ctx, "grant.lasts_once")
	}
	return i18n.T(ctx, "grant.lasts_renews")
}

// wrongCode describes what to do about a wrong code.
func wrongCode(ctx context.Context, wrong bool) string {
	if !wrong {
		return ""
	}
	return i18n.T(ctx, "code.wrong_text")
}

// memory is a number of bytes in the reader's words.
func memory(ctx context.Context, bytes int64) string {
	if bytes == 0 {
		return "–"
	}
	return i18n.T(ctx, "plugins.mib", "N", (bytes+(1<<19))>>20)
}

// revokeText describes the effect of revoking a grant.
func revokeText(ctx context.Context, v view.Connection) string {
	if v.Revocable {
		return i18n.T(ctx, "revoke.text", "Service", v.Service.Title)
	}
	return i18n.T(ctx, "revoke.text_local", "Service", v.Service.Title)
}
