package act

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Caller is who acts, and what they may do.
type Caller struct {
	audit.Actor
	// UserID is the person's id; "" for anybody else.
	UserID string
	// Key is the API key that acts; its ID is empty for anybody else.
	Key peopledb.APIKey
	// Browser is what the browser says of itself; "" without one.
	Browser string
	// may reports whether an act is permitted.
	may func(access.Act) bool
}

// Person is a person who is logged in.
func Person(u peopledb.User, address, browser string) Caller {
	return Caller{
		Actor: audit.Actor{Kind: audit.KindPerson, Name: u.Login, Address: address}, UserID: u.ID, Browser: browser,
		may: func(need access.Act) bool { return access.May(u.Role, need) },
	}
}

// Key is a process with an API key. An administrator's key may do what administrators
// may; what an owner has to consent to depends on who made the key, and is checked by
// access.KeyMay.
func Key(k peopledb.APIKey, address string) Caller {
	role := ""
	if access.MayAdminister(k) {
		role = access.RoleAdministrator
	}
	return Caller{
		Actor: audit.Actor{Kind: audit.KindKey, Name: k.Title, Address: address}, Key: k,
		may: func(need access.Act) bool { return access.May(role, need) },
	}
}

// Link is the holder of a link (kind audit.KindLink) or visits the front page
// (audit.KindFront). They are permitted nothing by a role: what their link is for is
// checked by the act itself.
func Link(kind, name, address, browser string) Caller {
	return Caller{Actor: audit.Actor{Kind: kind, Name: name, Address: address}, Browser: browser, may: func(access.Act) bool { return false }}
}

// Hub is the hub itself, or a command on its own machine. It is permitted everything.
func Hub() Caller {
	return Caller{Actor: audit.Actor{Kind: audit.KindHub}, may: func(access.Act) bool { return true }}
}

// Resumed is the person whose run on many connections the hub continues: what it
// needs was permitted when it was begun.
func Resumed(a audit.Actor) Caller {
	return Caller{Actor: a, may: func(access.Act) bool { return true }}
}

// May reports whether the caller is permitted what an act needs. Nothing needed is
// permitted to all callers.
func (c Caller) May(need access.Act) bool { return need == "" || c.may != nil && c.may(need) }

type callerInContext struct{}

// With puts a caller into a context, for the acts and for their records.
func With(ctx context.Context, c Caller) context.Context {
	return audit.With(context.WithValue(ctx, callerInContext{}, c), c.Actor)
}

// From is the context's caller. Without one nothing is permitted: the hub's own work says
// With(ctx, Hub()).
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(callerInContext{}).(Caller)
	return c
}
