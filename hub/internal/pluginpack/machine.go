package pluginpack

import (
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"os"
)

var elfMachines = map[elf.Machine]string{
	elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386", elf.EM_ARM: "arm", elf.EM_RISCV: "riscv64",
	elf.EM_PPC64: "ppc64le", elf.EM_S390: "s390x",
}

// checkMachine compares an entry's own header with the manifest. Programs for an
// interpreter have none.
func checkMachine(path string, m Manifest) error {
	if m.Sandbox.Interpreter != "" {
		return checkScript(path, m)
	}
	if f, err := elf.Open(path); err == nil {
		defer func() { _ = f.Close() }()
		if arch := elfMachines[f.Machine]; m.OS == "windows" || m.OS == "darwin" || arch != m.Arch {
			return refuse("its program is for linux/%s (%s), its manifest says %s/%s", arch, f.Machine, m.OS, m.Arch)
		}
		return nil
	}
	if f, err := macho.Open(path); err == nil {
		_ = f.Close()
		if m.OS != "darwin" {
			return refuse("its program is for darwin, its manifest says %s/%s", m.OS, m.Arch)
		}
		return nil
	}
	if f, err := pe.Open(path); err == nil {
		_ = f.Close()
		if m.OS != "windows" {
			return refuse("its program is for windows, its manifest says %s/%s", m.OS, m.Arch)
		}
		return nil
	}
	return refuse("its entry %q is no program; a script must name its interpreter in the manifest", m.Entry)
}

// interpreters are those that a hub may run plugins with.
var interpreters = map[string]bool{"node": true, "python3": true}

func checkScript(path string, m Manifest) error {
	if !interpreters[m.Sandbox.Interpreter] {
		return refuse("its interpreter %q is none of node and python3", m.Sandbox.Interpreter)
	}
	head := make([]byte, 2)
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if n, _ := f.Read(head); n < 2 || string(head) != "#!" {
		return refuse("its entry %q does not begin with #!", m.Entry)
	}
	return nil
}
