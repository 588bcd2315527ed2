package bulk

import (
	"context"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
)

// linksGroup is how many links are sent at one time: an owner of several gets them
// together.
const linksGroup = 200

// linksTimeout bounds sending a group of links.
const linksTimeout = 5 * time.Minute

// links sends the links of a group of connections and stores the result of each: the
// receiver, or why there was none.
func (r *Runner) links(ctx context.Context, run bulkdb.BulkRun, items []bulkdb.BulkItem) {
	acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), linksTimeout)
	defer cancel()
	ids := make([]string, 0, len(items))
	for _, item := range items {
		ids = append(ids, item.ConnectionID)
	}
	sent, err := r.o.SendLinks(acting, ids)
	for _, item := range items {
		cause := err
		switch result := sent[item.ConnectionID]; {
		case err != nil:
			item.State, item.Message = bulkdb.BulkFailed, message(err)
		case result.Reason != "":
			cause = notSentError(strings.TrimSpace(result.Reason + " " + result.Said))
			item.State, item.Message = bulkdb.BulkFailed, message(&saidError{key: linkReason(result), said: result.Said})
		default:
			item.State, item.Message = bulkdb.BulkDone, message(&saidError{key: "link_sent", said: result.To})
		}
		a := act.Act{Name: "connection.links", Needs: access.ActOperate, On: audit.Object{Kind: "connection", Name: item.Name}, Detail: []string{"id", item.ConnectionID}}
		r.o.Recorder.Ended(acting, a, cause)
		r.keep(acting, run, item)
	}
}

// notSentError is why a link was not sent, for the audit record.
type notSentError string

// Error implements error.
func (e notSentError) Error() string { return string(e) }

// Refusal marks it as a rule that says no.
func (notSentError) Refusal() bool { return true }

// linkReason is the key of the text for a link that was not sent.
func linkReason(result escalation.LinkSent) string {
	switch result.Reason {
	case escalation.ReasonTooOld:
		return "gone"
	case escalation.ReasonNotNeeded:
		return "link_not_needed"
	case escalation.ReasonNoContact:
		return "link_no_contact"
	case escalation.ReasonNoAddress:
		return "link_no_address"
	}
	return "delivery." + result.Reason
}
