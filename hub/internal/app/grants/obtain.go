package grants

import (
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Entered is what a person entered for the login or the key of a connection.
type Entered struct {
	// Fields by name; with none, a login is one with what is kept.
	Fields map[string]any
	// Ends is when a key ends, as far as the person knows; zero if not.
	Ends time.Time
}

// Obtain gets a connection its token set without a browser: by client credentials or an
// assertion, by a login, or from a key. What is in force stays until the service has
// accepted what was entered. Errors: *catalogue.InvalidError, *authflow.Failure,
// store.ErrNotFound, *store.DetachedError.
func (g *Grants) Obtain(ctx context.Context, connectionName string, entered Entered) (finished *authflow.Finished, err error) {
	a := act.Act{Name: "connection.obtain", Needs: access.ActOperate, On: on(connectionName)}
	err = g.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) error {
		c, s, err := g.found(ctx, e, connectionName)
		if err == nil {
			finished, err = g.obtain(ctx, e, c, s, entered)
		}
		return err
	})
	return finished, err
}

// ObtainByLink is Obtain for the holder of a link. A link that is spent, or that never was
// one, is refused before it is an act. Errors: authflow.ErrLinkSpent, and those of Obtain;
// linked is nil if the link is of no use.
func (g *Grants) ObtainByLink(ctx context.Context, token string, entered Entered) (linked *authflow.Linked, finished *authflow.Finished, err error) {
	if linked, err = g.o.Flow.Link(ctx, token); err != nil {
		return nil, nil, err
	}
	if who := act.From(ctx); who.UserID == "" {
		ctx = act.With(ctx, act.Link(audit.KindLink, linked.Link.CreatedBy, who.Address, who.Browser))
	}
	a := act.Act{Name: "connection.obtain", On: on(linked.Connection.Name), Detail: []string{"for", "link"}}
	err = g.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		e.Add(browser(ctx)...)
		finished, err = g.obtain(ctx, e, linked.Connection, linked.Service, entered)
		return err
	})
	return linked, finished, err
}

func (g *Grants) obtain(ctx context.Context, e *act.Entry, c connection.Connection, s service.Service, entered Entered) (*authflow.Finished, error) {
	e.Add("grant", string(c.Grant))
	asked := authflow.Entered{Ends: entered.Ends}
	var err error
	if mustEnter(c, entered) {
		if asked.Fields, err = catalogue.CheckFields(s, c.Grant, entered.Fields); err != nil {
			return nil, err
		}
	}
	if !entered.Ends.IsZero() && !entered.Ends.After(time.Now()) {
		return nil, &catalogue.InvalidError{Problems: []catalogue.Problem{{Field: "ends_at", Message: i18n.Words{
			EN: "This date is over; enter the one on which the key ends.", RU: "Эта дата уже прошла; укажите дату, когда ключ перестанет действовать.",
		}}}}
	}
	finished, err := g.o.Flow.Obtain(ctx, c.ID, asked)
	if err == nil {
		if account := account(finished.Connection.Account); account != "" {
			e.Add("account", account)
		}
	}
	return finished, err
}

// mustEnter reports whether the fields of a grant are checked: a login without new ones is
// one with those that are kept.
func mustEnter(c connection.Connection, entered Entered) bool {
	fields := []provider.Grant{provider.GrantLogin, provider.GrantStatic}
	return slices.Contains(fields, c.Grant) && (len(entered.Fields) > 0 || c.Grant == provider.GrantStatic || len(c.Tokens.Fields) == 0)
}
