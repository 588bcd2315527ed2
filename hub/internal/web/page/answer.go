package page

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// verdict is whether a connection will last: a sentence, and what follows
// from it.
func verdict(ctx context.Context, c view.Connection) (head string, more []string) {
	head, more = lasting(ctx, c)
	if !c.RenewingSince.IsZero() {
		more = append([]string{i18n.T(ctx, "verdict.renewing", "Since", i18n.Clock(ctx, c.RenewingSince), "Until", i18n.Clock(ctx, c.RenewingUntil))}, more...)
	}
	return head, more
}

// lasting is the verdict without what is under way.
func lasting(ctx context.Context, c view.Connection) (head string, more []string) {
	say := func(key string, args ...any) string { return i18n.T(ctx, key, args...) }
	switch c.Status {
	case connection.StatusPaused:
		return say("verdict.paused"), []string{say("verdict.paused_more")}
	case connection.StatusRevoked:
		return say("verdict.revoked"), []string{say("verdict.revoked_more")}
	case connection.StatusNeedsAuthorization:
		return needsAuthorization(ctx, c)
	case connection.StatusNeedsOperator:
		return say("verdict.operator"), []string{stillServed(ctx, c), nextTry(ctx, c)}
	case connection.StatusRetrying:
		return say("verdict.retrying"), []string{stillServed(ctx, c), nextTry(ctx, c)}
	case connection.StatusUncertain:
		return say("verdict.uncertain"), []string{say("verdict.uncertain_more"), stillServed(ctx, c), nextTry(ctx, c)}
	case connection.StatusExpires:
		return say("verdict.expires", "Date", until(ctx, c.StatusOrPersonDate())), []string{whyPerson(ctx, c)}
	default:
		return fresh(ctx, c)
	}
}

func needsAuthorization(ctx context.Context, c view.Connection) (head string, more []string) {
	if key := needsEntry(c); key != "" {
		head, more = i18n.T(ctx, "obtain.verdict."+key, "Service", c.Service.Title), []string{i18n.T(ctx, "obtain.verdict."+key+"_more", "Service", c.Service.Title)}
		if c.Valid {
			more = append(more, stillServed(ctx, c))
		}
		return head, more
	}
	switch c.State {
	case connection.StatePending:
		return i18n.T(ctx, "verdict.never"), []string{i18n.T(ctx, "verdict.never_more", "Service", c.Service.Title)}
	case connection.StateEnded:
		more = []string{i18n.T(ctx, "verdict.ended_more", "Service", c.Service.Title)}
		if c.Valid {
			more = append(more, stillServed(ctx, c))
		}
		return i18n.T(ctx, "verdict.ended"), more
	default:
		if c.Suspect {
			return i18n.T(ctx, "verdict.suspect"), []string{i18n.T(ctx, "verdict.suspect_more", "Service", c.Service.Title), stillServed(ctx, c), nextTry(ctx, c)}
		}
		return i18n.T(ctx, "verdict.expired", "Date", until(ctx, c.ValidUntil)), []string{whyPerson(ctx, c)}
	}
}

// needsEntry names the sentences about a connection that is not authorized in a browser;
// "" for those about any other.
func needsEntry(c view.Connection) string {
	switch {
	case c.ByBrowser():
		return ""
	case c.State == connection.StatePending && c.Entered():
		return "pending_entry"
	case c.State == connection.StatePending:
		return "pending_obtain"
	case c.State == connection.StateEnded && c.Grant == provider.GrantLogin:
		return "ended_login"
	}
	return ""
}

func fresh(ctx context.Context, c view.Connection) (head string, more []string) {
	switch {
	case c.ValidUntil.IsZero() && c.NextRenewal.IsZero() && c.EndUnknown:
		return i18n.T(ctx, "verdict.end_unknown"), []string{i18n.T(ctx, "verdict.end_unknown_more", "Service", c.Service.Title)}
	case c.ValidUntil.IsZero() && !c.EndUnknown:
		return i18n.T(ctx, "verdict.for_ever"), nil
	case c.PutOff():
		return i18n.T(ctx, "verdict.put_off", "Date", i18n.Clock(ctx, c.ValidUntil)), []string{nextTry(ctx, c)}
	case c.Policy.Window.Kind == provider.RenewOnDemand:
		more = append(more, i18n.T(ctx, "verdict.on_demand"))
		if !c.NextRenewal.IsZero() {
			more = append(more, i18n.T(ctx, "verdict.keep_alive", "Date", until(ctx, c.NextRenewal)))
		}
	case !c.NextRenewal.IsZero():
		more = append(more, i18n.T(ctx, "verdict.next_renewal", "Date", i18n.Clock(ctx, c.NextRenewal)))
	}
	if c.PersonBy.IsZero() {
		more = append(more, i18n.T(ctx, "verdict.nobody"))
	} else {
		more = append(more, whyPerson(ctx, c))
	}
	return i18n.T(ctx, "verdict.fresh"), more
}

// whyPerson describes by when a person has to act, and why.
func whyPerson(ctx context.Context, c view.Connection) string {
	if c.Grant == provider.GrantStatic && c.PersonReason == connection.ReasonNoAutoRenew {
		return i18n.T(ctx, "obtain.verdict.key_ends")
	}
	key := "person.no_auto_renew"
	switch c.PersonReason {
	case connection.ReasonNoRefreshToken:
		key = "person.no_refresh_token"
	case connection.ReasonRefreshEnds:
		key = "person.refresh_token_ends"
	case connection.ReasonRefused:
		key = "person.refused"
	case connection.ReasonNoAutoRenew, connection.ReasonEnded, connection.ReasonNeverGranted:
	}
	return i18n.T(ctx, key, "Date", until(ctx, c.StatusOrPersonDate()), "Service", c.Service.Title)
}

// stillServed describes until when processes get the present token.
func stillServed(ctx context.Context, c view.Connection) string {
	switch {
	case !c.Valid:
		return i18n.T(ctx, "verdict.no_token")
	case c.ValidUntil.IsZero():
		return i18n.T(ctx, "verdict.token_stays")
	default:
		return i18n.T(ctx, "verdict.token_until", "Date", i18n.Clock(ctx, c.ValidUntil))
	}
}

func nextTry(ctx context.Context, c view.Connection) string {
	if c.NextRenewal.IsZero() {
		return i18n.T(ctx, "verdict.next_try_soon")
	}
	if c.Valid && !c.ValidUntil.IsZero() && c.NextRenewal.After(c.ValidUntil) {
		return i18n.T(ctx, "verdict.next_try_gap", "Date", i18n.Clock(ctx, c.NextRenewal))
	}
	return i18n.T(ctx, "verdict.next_try", "Date", i18n.Clock(ctx, c.NextRenewal))
}

// until is a day, or the time as well if it is near.
func until(ctx context.Context, t time.Time) string {
	if t.Sub(i18n.From(ctx).Now).Abs() < 48*time.Hour {
		return i18n.Clock(ctx, t)
	}
	return i18n.Date(ctx, t)
}

// ability is a line of what a provider can do, in plain words.
type ability struct {
	text string
	not  bool
}

// abilities describes what a provider supports.
func abilities(ctx context.Context, d provider.Description) []ability {
	var all []ability
	add := func(not bool, key string, args ...any) {
		all = append(all, ability{i18n.T(ctx, key, args...), not})
	}
	if d.AutoRenew == provider.AutoRenewNone || d.AutoRenew == "" {
		add(true, "ability.no_renew")
	} else {
		add(false, "ability.renew."+string(d.AutoRenew))
	}
	switch life := d.Lifetimes.AccessToken; {
	case life == provider.Never:
		add(false, "ability.token_never")
	case life > 0:
		add(false, "ability.token_life", "Life", i18n.Duration(ctx, life))
	}
	switch {
	case d.Lifetimes.RefreshTokenIdle > 0:
		add(false, "ability.idle", "Life", i18n.Duration(ctx, d.Lifetimes.RefreshTokenIdle))
	case d.Lifetimes.RefreshToken > 0:
		add(false, "ability.refresh_life", "Life", i18n.Duration(ctx, d.Lifetimes.RefreshToken))
	}
	if d.PKCE == provider.PKCES256 || d.PKCE == provider.PKCERequired {
		add(false, "ability.pkce")
	}
	if (view.Provider{Description: d}).Serves(provider.GrantRevoke) {
		add(false, "ability.revoke")
	}
	return all
}

// renewsHow is how a connection is renewed, in a sentence.
func renewsHow(ctx context.Context, p connection.Policy) string {
	if p.AutoRenew == provider.AutoRenewNone || p.AutoRenew == "" {
		return i18n.T(ctx, "ability.no_renew")
	}
	return i18n.T(ctx, "ability.renew."+string(p.AutoRenew))
}

// renewsWhen describes when the hub renews.
func renewsWhen(ctx context.Context, p connection.Policy) string {
	w := p.Window
	switch {
	case p.AutoRenew == provider.AutoRenewNone || p.AutoRenew == "":
		return ""
	case w.Every > 0:
		return i18n.T(ctx, "window.every", "Life", i18n.Duration(ctx, w.Every))
	case w.Kind == provider.RenewOnDemand && w.KeepAlive > 0:
		return i18n.T(ctx, "window.on_demand_keep", "Life", i18n.Duration(ctx, w.KeepAlive))
	case w.Kind == provider.RenewOnDemand:
		return i18n.T(ctx, "window.on_demand")
	case w.Kind == provider.RenewAfterExpiry:
		return i18n.T(ctx, "window.after_expiry")
	case w.Margin > 0:
		return i18n.T(ctx, "window.margin", "Life", i18n.Duration(ctx, w.Margin))
	default:
		return i18n.T(ctx, "window.before_expiry")
	}
}
