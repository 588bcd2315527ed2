package renewaldb

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// On PostgreSQL each statement is a journey to another process, so it takes a
// whole batch as arrays; its text is always the same and is prepared once. (gorm
// spells out a slice as a list, but hands on a pointer to one.)
// SQLite is in this process: a statement for each row costs next to nothing.

const lockMany = `SELECT * FROM connections WHERE id = ANY(@ids) ORDER BY id FOR UPDATE`

// lockConnections reads the rows of a batch, by id, and keeps others from
// changing them until the transaction ends.
func (s *Rows) lockConnections(tx *gorm.DB, batch []*outcome) (map[string]*grantdb.ConnectionRow, error) {
	ids := make([]string, len(batch))
	for i, o := range batch {
		ids[i] = o.c.ID
	}
	var rows []grantdb.ConnectionRow
	query := tx.Where("id IN ?", ids).Find
	if s.db.Dialect() == db.PostgreSQL {
		query = tx.Raw(lockMany, map[string]any{"ids": &ids}).Find
	}
	if err := query(&rows).Error; err != nil {
		return nil, err
	}
	byID := make(map[string]*grantdb.ConnectionRow, len(rows))
	for i := range rows {
		byID[rows[i].ID] = &rows[i]
	}
	return byID, nil
}

const updateMany = `UPDATE connections SET state = v.state, generation = v.generation, tokens = v.tokens, expires_at = v.expires_at,
		due_at = v.due_at, failure = v.failure, renewed_at = v.renewed_at, updated_at = v.updated_at,
		lease_owner = v.lease_owner, lease_until = v.lease_until, failure_cause = v.failure_cause, person_by = v.person_by,
		phase = v.phase, renewable_until = v.renewable_until, trash = v.trash
	FROM unnest(CAST(@ids AS text[]), CAST(@states AS text[]), CAST(@generations AS bigint[]), CAST(@tokens AS bytea[]), CAST(@expires AS bigint[]), CAST(@due AS bigint[]),
		CAST(@failures AS text[]), CAST(@renewed AS bigint[]), CAST(@updated AS bigint[]), CAST(@owners AS text[]), CAST(@leases AS bigint[]),
		CAST(@causes AS text[]), CAST(@people AS bigint[]), CAST(@phases AS text[]), CAST(@renewable AS bigint[]), CAST(@trash AS text[]))
		AS v(id, state, generation, tokens, expires_at, due_at, failure, renewed_at, updated_at, lease_owner, lease_until,
			failure_cause, person_by, phase, renewable_until, trash)
	WHERE connections.id = v.id`

func (s *Rows) updateOutcomes(tx *gorm.DB, batch []*outcome) error {
	if len(batch) == 0 {
		return nil
	}
	if s.db.Dialect() == db.PostgreSQL {
		result := tx.Exec(updateMany, columnsOf(batch))
		if result.Error == nil && result.RowsAffected != int64(len(batch)) {
			return errChanged
		}
		return result.Error
	}
	for _, o := range batch {
		result := tx.Model(&grantdb.ConnectionRow{}).Where("id = ?", o.next.ID).Select("state", "generation", "tokens", "expires_at", "due_at",
			"failure", "renewed_at", "updated_at", "lease_owner", "lease_until", "failure_cause", "person_by", "phase", "renewable_until", "trash").Updates(&o.next)
		if result.Error != nil {
			return result.Error
		}
		if result.RowsAffected == 0 {
			return errChanged
		}
	}
	return nil
}

// columnsOf turns rows into the arrays of updateMany.
func columnsOf(batch []*outcome) map[string]any {
	n := len(batch)
	ids, states, failures, owners := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	generations, expires, due := make([]int64, n), make([]int64, n), make([]int64, n)
	renewed, updated, leases := make([]int64, n), make([]int64, n), make([]int64, n)
	causes, people := make([]string, n), make([]int64, n)
	phases, renewable, trash := make([]string, n), make([]int64, n), make([]string, n)
	tokens := make([][]byte, n)
	for i, o := range batch {
		r := &o.next
		causes[i], people[i] = r.FailureCause, r.PersonBy
		phases[i], renewable[i], trash[i] = r.Phase, r.RenewableUntil, r.Trash
		ids[i], states[i], failures[i], owners[i], tokens[i] = r.ID, r.State, r.Failure, r.LeaseOwner, r.Tokens
		generations[i], expires[i], due[i] = r.Generation, r.ExpiresAt, r.DueAt
		renewed[i], updated[i], leases[i] = r.RenewedAt, r.UpdatedAt, r.LeaseUntil
	}
	return map[string]any{
		"ids": &ids, "states": &states, "generations": &generations, "tokens": &tokens, "expires": &expires, "due": &due,
		"failures": &failures, "renewed": &renewed, "updated": &updated, "owners": &owners, "leases": &leases, "causes": &causes, "people": &people,
		"phases": &phases, "renewable": &renewable, "trash": &trash,
	}
}

const keepMany = `INSERT INTO token_history (connection_id, generation, tokens, replaced_at)
	SELECT * FROM unnest(CAST(@ids AS text[]), CAST(@generations AS bigint[]), CAST(@tokens AS bytea[]), CAST(@replaced AS bigint[]))
	ON CONFLICT DO NOTHING`

// keepPast puts the replaced token sets into the history.
func (s *Rows) keepPast(tx *gorm.DB, batch []*outcome) error {
	var past []grantdb.TokenHistoryRow
	for _, o := range batch {
		if o.err == nil && o.past != nil {
			past = append(past, *o.past)
		}
	}
	if len(past) == 0 {
		return nil
	}
	if s.db.Dialect() != db.PostgreSQL {
		return tx.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(past, db.RowsAtOnce).Error
	}
	ids, tokens := make([]string, len(past)), make([][]byte, len(past))
	generations, replaced := make([]int64, len(past)), make([]int64, len(past))
	for i, p := range past {
		ids[i], generations[i], tokens[i], replaced[i] = p.ConnectionID, p.Generation, p.Tokens, p.ReplacedAt
	}
	return tx.Exec(keepMany, map[string]any{"ids": &ids, "generations": &generations, "tokens": &tokens, "replaced": &replaced}).Error
}

// dropIntents removes the intents of a batch.
func (s *Rows) dropIntents(tx *gorm.DB, batch []*outcome) error {
	var ids []string
	for _, o := range batch {
		if o.intentID != "" {
			ids = append(ids, o.intentID)
		}
	}
	switch {
	case len(ids) == 0:
		return nil
	case s.db.Dialect() == db.PostgreSQL:
		return tx.Exec(`DELETE FROM intents WHERE id = ANY(@ids)`, map[string]any{"ids": &ids}).Error
	default:
		return tx.Where("id IN ?", ids).Delete(&IntentRow{}).Error
	}
}
