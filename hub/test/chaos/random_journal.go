package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/seal"
)

var refreshTokenRE = regexp.MustCompile(`f\d+\.rt\.[A-Z2-7]+`)

// readJournal finds the refresh tokens in the replies that a hub which is dead had
// on its disk and nowhere else. It works on a copy: opening a journal changes it.
func readJournal(dataDir, keyFile string) (tokens []string, err error) {
	copied, err := os.MkdirTemp(filepath.Dir(dataDir), "journal-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(copied) }()
	if err := os.CopyFS(copied, os.DirFS(filepath.Join(dataDir, "journal"))); err != nil {
		return nil, err
	}
	box, err := seal.Open(keyFile)
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(copied, box, hclog.NewNullLogger())
	if err != nil {
		return nil, err
	}
	defer func() { _ = j.Close() }()
	for _, op := range j.Pending() {
		for _, data := range op.Replies {
			var reply struct {
				Body []byte `json:"body"`
			}
			if err := json.Unmarshal(data, &reply); err != nil {
				return nil, fmt.Errorf("a journaled reply cannot be read: %w", err)
			}
			tokens = append(tokens, refreshTokenRE.FindAllString(string(reply.Body), -1)...)
		}
	}
	return tokens, nil
}

// inquest notes which answers a hub that was killed had on its disk: none of them
// may be lost.
func (s *site) inquest(p *slot) {
	tokens, err := readJournal(s.dataDir(p.n), s.key)
	if err != nil {
		s.problem("the journal of %s cannot be read: %v", p.name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, token := range tokens {
		s.onDisk[token] = p.name
	}
}
