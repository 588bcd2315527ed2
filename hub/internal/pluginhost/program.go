package pluginhost

import (
	"bufio"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// program is a plugin's file, opened once: what was hashed is what runs, because
// it is executed by its descriptor and refused if it was written to meanwhile.
type program struct {
	file *os.File
	sum  string
	// changed is when the file last changed, before it was hashed.
	changed time.Time
	// interpreter runs it, if it is a script; dynamic is set for a program that the
	// system's loader has to complete.
	interpreter string
	dynamic     bool
}

// openProgram opens, hashes and looks into a plugin's file. The caller closes it.
func openProgram(source Source) (p *program, err error) {
	f, err := os.Open(source.Path)
	if err != nil {
		return nil, defectf("its file cannot be read: %v", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the plugin's file: %w", err)
	}
	if !info.Mode().IsRegular() || (info.Mode().Perm()&0o111 == 0 && source.Package == nil) {
		return nil, defectf("its file is not executable: run chmod +x %s", source.Path)
	}
	p = &program{file: f, changed: changeTime(info)}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return nil, fmt.Errorf("read the plugin's file: %w", err)
	}
	p.sum = hex.EncodeToString(hash.Sum(nil))
	if source.Sum != "" && p.sum != source.Sum {
		return nil, defectf("its file is not the one that was installed (its SHA-256 is %s, not %s): install it again", p.sum, source.Sum)
	}
	return p, p.examine(source)
}

// examine finds out what runs it.
func (p *program) examine(source Source) error {
	if source.Package != nil && source.Package.Interpreter != "" {
		return p.runBy(source.Package.Interpreter)
	}
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the plugin's file: %w", err)
	}
	first, _ := bufio.NewReaderSize(p.file, 256).ReadString('\n') // a binary has no lines
	if line, script := strings.CutPrefix(first, "#!"); script {
		words := strings.Fields(line)
		if len(words) == 2 && filepath.Base(words[0]) == "env" {
			words = words[1:]
		}
		if len(words) != 1 {
			return defectf("its first line must name one interpreter, like #!/usr/bin/env python3")
		}
		return p.runBy(words[0])
	}
	if binary, err := elf.NewFile(p.file); err == nil {
		for _, part := range binary.Progs {
			p.dynamic = p.dynamic || part.Type == elf.PT_INTERP
		}
	}
	return nil
}

func (p *program) runBy(interpreter string) error {
	path, err := exec.LookPath("/usr/bin/" + interpreter) // the system's own has the system's packages
	if filepath.IsAbs(interpreter) || err != nil {
		path, err = exec.LookPath(interpreter)
	}
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return defectf("it needs %s, which this machine does not have: install it (%v)", interpreter, err)
	}
	p.interpreter = path
	return nil
}

// unchanged is an error if the file was written to since it was opened. While it runs the
// kernel prevents writes.
func (p *program) unchanged() error {
	info, err := p.file.Stat()
	if err != nil {
		return fmt.Errorf("look at the plugin's file again: %w", err)
	}
	if !changeTime(info).Equal(p.changed) { // a new name or mode changes it as well
		if _, err := p.file.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("read the plugin's file again: %w", err)
		}
		hash := sha256.New()
		if _, err := io.Copy(hash, p.file); err != nil {
			return fmt.Errorf("read the plugin's file again: %w", err)
		}
		if hex.EncodeToString(hash.Sum(nil)) != p.sum {
			return defectf("its file was changed while it was being started")
		}
	}
	return nil
}

func (p *program) close() { _ = p.file.Close() }

// sumOf returns the SHA-256 of a source's file in lower-case hex. What is no
// executable file is a defect.
func sumOf(source Source) (string, error) {
	p, err := openProgram(source)
	if err != nil {
		return "", err
	}
	p.close()
	return p.sum, nil
}
