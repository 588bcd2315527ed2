package view

import (
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/connection"
)

// The acts on many connections, and on those in the trash.
var (
	bulkOperate = []string{"renew", "links", "pause", "resume", "tag", "untag"}
	bulkManage  = []string{"revoke", "delete"}
	trashActs   = []string{"put_back", "remove"}
)

// BulkActs are those that the person who looks may do.
func BulkActs(ctx context.Context) []string {
	acts := bulkOperate
	if May(ctx, access.ActManage) {
		acts = append(slices.Clip(acts), bulkManage...)
	}
	return acts
}

// TrashActs are those in the trash.
func TrashActs(ctx context.Context) []string {
	if May(ctx, access.ActManage) {
		return trashActs
	}
	return nil
}

// Destroys reports whether an act needs a confirmation.
func Destroys(act string) bool { return slices.Contains([]string{"revoke", "delete", "remove"}, act) }

// Asks reports whether an act is asked about before it is done: one that destroys, or that
// sends messages to people.
func Asks(act string) bool { return act == "links" || Destroys(act) }

// TypedAbove is how many connections an act that destroys may concern without its number
// being typed.
const TypedAbove = 10

// BulkBar is the bar below a list: acts on the picked connections, or on all that match.
type BulkBar struct {
	// Query is the query of the list, Found how many it finds on all its pages, Filtered
	// whether these are not all that there are.
	Query    string
	Found    int
	Filtered bool
	Acts     []string
	// Trash is set for the list of deleted connections.
	Trash bool
}

// BulkAsk is a question before an act that destroys.
type BulkAsk struct {
	Act string
	// All is set for all that Query finds; Picked are the chosen ones else.
	All    bool
	Query  string
	Picked []string
	Trash  bool
	// Search, Status, Service and Tag are what All is limited by.
	Search, Service, Tag string
	Status               connection.Status
	// Count is how many they are, Names the first of them.
	Count int
	Names []string
	// Granting have a grant in force, Rotating of them replace their refresh token with each
	// renewal; Keys, Rules and Channels hang on them.
	Granting, Rotating, Keys, Rules, Channels int
	// StayingParts stay without the main connection of their authorization, StayingBeside
	// where only parts of an authorization are deleted.
	StayingParts, StayingBeside Staying
	// Keep is how long the trash keeps them.
	Keep time.Duration
	// Receivers is how many people get links, Ownerless how many connections have no owner, and
	// Rest who gets the links of these; empty for none.
	Receivers, Ownerless int
	Rest                 string
	// Problem is "changed" if the list has changed since it was counted, "number" if another
	// number was typed.
	Problem string
}

// Staying are connections that share an authorization with deleted ones: how many they are,
// and the names of the first of them.
type Staying struct {
	Count int
	Names []string
}

// Typed reports whether the number has to be typed.
func (v BulkAsk) Typed() bool { return Destroys(v.Act) && v.Count > TypedAbove }

// BulkRun is an act on many connections.
type BulkRun struct {
	ID, Act, Argument string
	// Done, Troubled, Failed, Waiting and Cancelled are disjoint and add up to Total. What
	// is troubled was imported, and its renewal at once has failed.
	Total, Done, Troubled, Failed, Waiting, Cancelled int
	// Try is whether an import is renewed at once: "", "rows" or "all". Going is set while
	// all or nothing of it is still to be decided.
	Try   string
	Going bool
	// State limits Items to those in it; "" is all. Prev and Next lead to the other pages.
	State      string
	Items      []BulkItem
	Prev, Next string
	// Rest is where the rows of an import that were not imported are tried again.
	Rest string
}

// Over reports whether nothing of the run waits any more.
func (r BulkRun) Over() bool { return r.Waiting == 0 && !r.Going }

// Count is how many are in a state.
func (r BulkRun) Count(state string) int {
	return map[string]int{"": r.Total, "done": r.Done, "failed": r.Failed, "troubled": r.Troubled, "waiting": r.Waiting, "cancelled": r.Cancelled}[state]
}

// BulkItem is what came of one of them.
type BulkItem struct {
	Name string
	// State is waiting, tried, done, troubled, failed or cancelled. Said is a key of the hub's own words,
	// Message those of a service.
	State, Said, Message string
	// Line is its line in the table of an import; 0 elsewhere.
	Line int
}

// Trash is the list of deleted connections.
type Trash struct {
	Rows []TrashRow
	// Total is how many there are, Found how many Query finds.
	Total, Found int
	Query        string
	// Address is the query of this list, without its page; Next the address of the next page.
	Address, Next string
	Keep          time.Duration
}

// TrashRow is a deleted connection.
type TrashRow struct {
	ID, Name, Title, Account string
	Service                  ServiceRef
	TrashedAt, RemovedAt     time.Time
	By                       string
	// Granting is set while it has a grant, Rotates if its refresh token is replaced with
	// each renewal; GrantEnds is when its refresh token ends, zero if no end is known.
	Granting, Rotates bool
	GrantEnds         time.Time
	// Parts is how many connections of its parts stay.
	Parts int
	// Entered is another name that was tried, Problems what is wrong with it.
	Entered  string
	Problems Problems
}

// Picker offers connections of a long list to choose from.
type Picker struct {
	Query string
	// Chosen are those that are chosen already, Offered the first that the query finds.
	Chosen, Offered []ConnectionRow
	// Found is how many the query finds, All how many there are.
	Found, All int
}
