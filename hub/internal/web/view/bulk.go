package view

import (
	"context"
	"slices"

	"github.com/evergrant/evergrant/hub/internal/access"
)

// The acts on many connections.
var (
	bulkOperate = []string{"renew", "pause", "resume", "tag", "untag"}
	bulkManage  = []string{"delete"}
)

// BulkActs are those that the person who looks may do.
func BulkActs(ctx context.Context) []string {
	acts := bulkOperate
	if May(ctx, access.ActManage) {
		acts = append(slices.Clip(acts), bulkManage...)
	}
	return acts
}

// BulkRun is an act on many connections.
type BulkRun struct {
	ID, Act, Argument   string
	Total, Done, Failed int
	// Items are those that failed or wait, and the first of the others; Hidden counts
	// the rest.
	Items  []BulkItem
	Hidden int
}

// BulkItem is what came of one of them.
type BulkItem struct {
	Name string
	// State is waiting, done or failed.
	State, Message string
}
