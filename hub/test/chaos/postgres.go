package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// postgres is a throw-away PostgreSQL that can be stopped and started.
type postgres struct {
	bin, home string
	port      int
	account   *syscall.Credential // nil: as this process
	// durable has commits reach the disk, for a server that crashes.
	durable bool
	// env are more variables of the server.
	env []string
}

// startPostgres makes a cluster on a free port of loopback.
func (st *stage) startPostgres(ctx context.Context, name string) (*postgres, error) {
	return st.makePostgres(ctx, name, false)
}

func (st *stage) makePostgres(ctx context.Context, name string, durable bool) (*postgres, error) {
	if st.postgresBin == "" {
		return nil, skipError{"PostgreSQL is not installed"}
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &postgres{bin: st.postgresBin, home: filepath.Join(st.dir, name), port: port, durable: durable}
	if err := os.Mkdir(p.home, 0o700); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 { // initdb and postgres refuse to run as root
		if p.account, err = packagedAccount(); err != nil {
			return nil, err
		}
		if err := os.Chown(p.home, int(p.account.Uid), int(p.account.Gid)); err != nil {
			return nil, err
		}
	}
	if err := p.command(ctx, "initdb", "--pgdata="+p.data(), "--username=evergrant", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"); err != nil {
		return nil, err
	}
	return p, p.start(ctx)
}

func packagedAccount() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("neither the account postgres nor nobody is there to run PostgreSQL as")
}

func (p *postgres) data() string { return filepath.Join(p.home, "data") }

// start returns when connections are taken. What was committed before a stop is
// there again after a stop: the kernel has it, and the machine stays up.
func (p *postgres) start(ctx context.Context) error {
	return p.command(ctx, "pg_ctl", "start", "--pgdata="+p.data(), "--log="+filepath.Join(p.home, "server.log"), "--wait", "--silent",
		fmt.Sprintf("--options=-c listen_addresses=127.0.0.1 -c port=%d -c unix_socket_directories='' -c max_connections=300 -c fsync=%s", p.port, onOff(p.durable)))
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// standby makes a server that follows this one, through a port at which it may be cut
// off, and starts it.
func (st *stage) standby(ctx context.Context, of *postgres, through int) (*postgres, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &postgres{bin: of.bin, home: of.home + "-standby", port: port, account: of.account}
	if err := os.Mkdir(p.home, 0o700); err != nil {
		return nil, err
	}
	if p.account != nil {
		if err := os.Chown(p.home, int(p.account.Uid), int(p.account.Gid)); err != nil {
			return nil, err
		}
	}
	source := fmt.Sprintf("--dbname=postgres://evergrant@127.0.0.1:%d/postgres?sslmode=disable", through)
	if err := p.command(ctx, "pg_basebackup", "--pgdata="+p.data(), "--write-recovery-conf", "--checkpoint=fast", "--no-sync", source); err != nil {
		return nil, err
	}
	return p, p.start(ctx)
}

// promote makes a standby the server that takes writes.
func (p *postgres) promote(ctx context.Context) error {
	return p.command(ctx, "pg_ctl", "promote", "--pgdata="+p.data(), "--wait", "--silent")
}

func (p *postgres) at() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// stop cuts all connections, as a crash does.
func (p *postgres) stop(ctx context.Context) error { return p.end(ctx, "immediate") }

// end stops the server in one of its modes: immediate or fast.
func (p *postgres) end(ctx context.Context, mode string) error {
	return p.command(ctx, "pg_ctl", "stop", "--pgdata="+p.data(), "--mode="+mode, "--silent")
}

func (p *postgres) command(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, name), args...) //nolint:gosec // the server that the tests break
	cmd.Dir = p.home
	cmd.Env = append(os.Environ(), p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.account}
	log, err := os.OpenFile(filepath.Join(p.home, "commands.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log // a file, for a pipe would be held by the server
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w\n%s", name, err, said)
	}
	return nil
}

// url is the address of a database, at the server or at a proxy before it.
func (p *postgres) url(database string) string { return postgresURL(p.port, database) }

func postgresURL(port int, database string) string {
	return fmt.Sprintf("postgres://evergrant@127.0.0.1:%d/%s?sslmode=disable&connect_timeout=5", port, database)
}

// create makes a database, a copy of another one if template is not empty.
func (p *postgres) create(ctx context.Context, name, template string) error {
	conn, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	statement := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()
	if template != "" {
		statement += " TEMPLATE " + pgx.Identifier{template}.Sanitize()
	}
	_, err = conn.Exec(ctx, statement)
	return err
}

// freePort finds a port below those that the system gives to outgoing connections:
// one of those could be taken while a server that is broken on purpose is away.
func freePort() (int, error) {
	const lowest, span, tries = 20_000, 12_000, 100
	for range tries {
		port := lowest + rand.IntN(span) //nolint:gosec // G404: any port will do
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("no port of %d to %d of loopback is free", lowest, lowest+span-1)
}
