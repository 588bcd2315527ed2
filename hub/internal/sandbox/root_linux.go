package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// treeAt is where a script's tree is inside.
const treeAt = "/plugin"

// systemPlaces are what a dynamically linked program or an interpreter reads.
var systemPlaces = []string{"/lib", "/lib32", "/lib64", "/libx32", "/usr", "/bin", "/etc/ld.so.cache", "/etc/alternatives"}

// devices are those that runtimes open without asking.
// /dev/zero is not among them: mapped, it is memory that no limit counts.
var devices = []string{"/dev/null", "/dev/random", "/dev/urandom"}

// maxNames bounds the files in its folder.
const maxNames = 4096

// enter makes a new root and moves into it, if there is a name space for it.
func (s *shim) enter() error {
	if !s.program.Spaces {
		return nil
	}
	if err := s.newRoot(); err != nil {
		return fmt.Errorf("a root of its own could not be made: %w", err)
	}
	return nil
}

// mounted is a piece of the old root that is to be seen in the new one.
type mounted struct {
	path string
	tree int
	dir  bool
}

func (s *shim) newRoot() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("part the mounts: %w", err)
	}
	pieces, err := s.pieces()
	if err != nil {
		return err
	}
	tree := -1
	if s.program.Tree != "" {
		if tree, err = unix.Open(s.program.Tree, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
			return fmt.Errorf("open %s: %w", s.program.Tree, err)
		}
	}
	// The private folder becomes the new root's place; inside there is another one by
	// its name.
	if err := unix.Mount("tmpfs", s.program.Dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("mode=755,size=%d", s.rootSize())); err != nil {
		return fmt.Errorf("make a file system: %w", err)
	}
	if err := unix.Chdir(s.program.Dir); err != nil {
		return err
	}
	if err := errors.Join(s.furnish(pieces, tree), s.mountFolder()); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change the root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root: %w", err)
	}
	return errors.Join(unix.Chdir("/"),
		unix.MountSetattr(unix.AT_FDCWD, "/", 0, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}))
}

// mountFolder makes its folder a file system of its own, in memory and of a bounded
// size, and hands it to the hub, which could not see it otherwise.
func (s *shim) mountFolder() error {
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	uid := s.program.UID
	if s.program.OwnUsers {
		uid = 0 // the only one of its name space
	}
	at := "." + s.program.Dir
	if err := makeDirs(at); err != nil {
		return err
	}
	options := fmt.Sprintf("mode=700,uid=%d,gid=%d,size=%d,nr_inodes=%d", uid, uid, s.program.Disk, maxNames)
	if err := unix.Mount("tmpfs", at, "tmpfs", flags, options); err != nil {
		return fmt.Errorf("make a file system for its files: %w", err)
	}
	folder, err := unix.Open(at, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open its folder: %w", err)
	}
	defer func() { _ = unix.Close(folder) }()
	if err := unix.Sendmsg(folderFD, []byte{0}, unix.UnixRights(folder), nil, 0); err != nil {
		return fmt.Errorf("hand its folder to the hub: %w", err)
	}
	s.boundFiles = true
	return nil
}

// rootSize is for the files that are copied and a few names.
func (s *shim) rootSize() int64 {
	size := int64(1 << 20)
	for _, f := range s.program.Files {
		size += f.Size + 8<<10
	}
	return size
}

// pieces takes hold of what is to be seen inside, before the old root is gone.
func (s *shim) pieces() ([]mounted, error) {
	var pieces []mounted
	for _, device := range devices {
		if tree, err := cloneTree(device, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC); err == nil {
			pieces = append(pieces, mounted{path: device, tree: tree})
		}
	}
	for _, place := range s.readable() {
		info, err := os.Lstat(place)
		if err != nil || info.Mode().Type() == os.ModeSymlink {
			continue // symbolic links are made anew
		}
		tree, err := cloneTree(place, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_RDONLY)
		if err != nil {
			return nil, fmt.Errorf("take %s along: %w", place, err)
		}
		pieces = append(pieces, mounted{path: place, tree: tree, dir: info.IsDir()})
	}
	return pieces, nil
}

// readable are the places of the system that the program needs.
func (s *shim) readable() []string {
	if !s.program.System {
		return nil
	}
	places := systemPlaces
	if in := s.program.Interpreter; in != "" && !strings.HasPrefix(in, "/usr/") && !strings.HasPrefix(in, "/bin/") {
		places = append(slices.Clip(places), filepath.Dir(filepath.Dir(in))) // <prefix>/bin/<name>
	}
	if s.program.Tree != "" && len(s.program.Files) == 0 {
		places = append(slices.Clip(places), s.program.Tree)
	}
	return places
}

func cloneTree(path string, attributes uint64) (int, error) {
	tree, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return -1, err
	}
	return tree, unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: attributes})
}

// furnish fills the new root, which is the working directory.
func (s *shim) furnish(pieces []mounted, tree int) error {
	for _, place := range s.readable() {
		if target, err := os.Readlink(place); err == nil {
			if err := os.Symlink(target, "."+place); err != nil {
				return err
			}
		}
	}
	for _, piece := range pieces {
		if err := hang(piece); err != nil {
			return fmt.Errorf("show %s: %w", piece.path, err)
		}
	}
	if tree < 0 || len(s.program.Files) == 0 {
		return nil
	}
	return s.copyTree(tree)
}

func hang(piece mounted) error {
	at := "." + piece.path
	if err := makeDirs(filepath.Dir(at)); err != nil {
		return err
	}
	if piece.dir {
		if err := makeDirs(at); err != nil {
			return err
		}
	} else if f, err := os.OpenFile(at, os.O_CREATE|os.O_WRONLY, 0o444); err != nil {
		return err
	} else if err := f.Close(); err != nil {
		return err
	}
	defer func() { _ = unix.Close(piece.tree) }()
	return unix.MoveMount(piece.tree, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// makeDirs makes folders that every user can traverse; the shim's umask is strict.
func makeDirs(path string) error {
	old := unix.Umask(0)
	defer unix.Umask(old)
	return os.MkdirAll(path, 0o755) //nolint:gosec // G301: the program runs as another user
}

// copyTree copies the files of a script into the new root and checks each: what
// runs are the bytes that were checked, whatever happens to the originals.
func (s *shim) copyTree(tree int) error {
	for _, f := range s.program.Files {
		if !filepath.IsLocal(f.Path) {
			return fmt.Errorf("%q is outside the package", f.Path)
		}
		if err := copyFile(tree, f); err != nil {
			return fmt.Errorf("copy %s: %w", f.Path, err)
		}
	}
	return nil
}

func copyFile(tree int, f File) error {
	fd, err := unix.Openat(tree, f.Path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	from := os.NewFile(uintptr(fd), f.Path)
	defer from.Close()
	at := filepath.Join("."+treeAt, f.Path)
	if err := makeDirs(filepath.Dir(at)); err != nil {
		return err
	}
	to, err := os.OpenFile(at, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(to, sum), io.LimitReader(from, f.Size+1))
	if err := errors.Join(err, to.Chmod(0o444), to.Close()); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return errors.New("it was changed after it was installed")
	}
	return nil
}

// scriptPath is the script's path as the program sees it.
func (s *shim) scriptPath() string {
	if s.program.Spaces && len(s.program.Files) > 0 {
		return filepath.Join(treeAt, s.program.Script)
	}
	return filepath.Join(s.program.Tree, s.program.Script)
}

// target is what is executed: the file that the hub opened, or the interpreter as
// it is seen inside.
func (s *shim) target() (int, error) {
	if s.program.Interpreter == "" {
		unix.CloseOnExec(programFD)
		return programFD, nil
	}
	_ = unix.Close(programFD)
	fd, err := unix.Open(s.program.Interpreter, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open the interpreter %s: %w", s.program.Interpreter, err)
	}
	return fd, nil
}
