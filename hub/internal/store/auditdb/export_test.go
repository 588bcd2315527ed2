package auditdb

import "testing"

// ForgetEnds brings the audit chain into the form of before its ends had MACs.
func ForgetEnds(t *testing.T, s *Rows) {
	t.Helper()
	chain, key, err := s.readChain(t.Context())
	if err == nil {
		chain.MacKey, err = s.db.Box.Seal(key, "audit_chain", "1", "mac_key")
	}
	if err == nil {
		err = s.db.Writing(t.Context()).Model(&auditChainRow{}).Where("id = ?", chainID).Updates(map[string]any{"mac_key": chain.MacKey, "end_mac": []byte{}, "base_mac": []byte{}}).Error
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Exec changes the database behind the store's back.
func Exec(t *testing.T, s *Rows, statement string) {
	t.Helper()
	if err := s.db.Writing(t.Context()).Exec(statement).Error; err != nil {
		t.Fatal(err)
	}
}
