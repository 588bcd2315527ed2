package demo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// keeper is the state of an emulator's grants.
type keeper interface {
	Save() ([]byte, error)
	Load(data []byte) error
}

// keepEvery is the time between two looks at what has changed.
const keepEvery = time.Second

// load restores the grants that an earlier World kept in Config.Grants.
func (w *World) load() error {
	data, err := os.ReadFile(w.config.Grants)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var kept map[string]json.RawMessage
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	for _, s := range slices.Concat(w.Services, w.More) {
		if part, ok := kept[s.Name]; ok && err == nil {
			err = s.grants.Load(part)
		}
	}
	if err != nil {
		return fmt.Errorf("read the grants of the emulated services in %s (remove it to begin anew): %w", w.config.Grants, err)
	}
	w.written = data
	return nil
}

// keep writes what has changed, until Close.
func (w *World) keep() {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-w.over:
			return
		case <-ticker.C:
			_ = w.save() // Close reports what lasts
		}
	}
}

// save replaces the file as a whole.
func (w *World) save() error {
	kept := map[string]json.RawMessage{}
	for _, s := range slices.Concat(w.Services, w.More) {
		part, err := s.grants.Save()
		if err != nil {
			return err
		}
		kept[s.Name] = part
	}
	data, err := json.Marshal(kept)
	if err != nil || bytes.Equal(data, w.written) {
		return err
	}
	if err := os.WriteFile(w.config.Grants+".new", data, 0o600); err != nil {
		return fmt.Errorf("keep the grants of the emulated services: %w", err)
	}
	if err := os.Rename(w.config.Grants+".new", w.config.Grants); err != nil {
		return fmt.Errorf("keep the grants of the emulated services: %w", err)
	}
	w.written = data
	return nil
}
