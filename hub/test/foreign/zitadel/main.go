// Command zitadel runs the OpenID provider that Zitadel is built on, with the storage of its
// own example, for the tests of the folder above. It is a module of its own, so that the hub
// does not depend on it.
//
// It listens on a free port of localhost, prints its issuer, and ends with its standard
// input. The arguments are a client ID, a client secret, a redirect URI and, for a client
// that proves itself by a key instead of the secret, where it publishes that.
package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "zitadel:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 && len(args) != 4 {
		return fmt.Errorf("want a client ID, a client secret, a redirect URI and perhaps the address of keys, got %d arguments", len(args))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return err
	}
	issuer := "http://localhost:" + port + "/"
	storage.RegisterClients(storage.WebClient(args[0], args[1], args[2]))
	example := storage.NewStorage(storage.NewUserStore(issuer))
	var store exampleop.Storage = example
	if len(args) == 4 {
		store = keyed{example, args[3]}
	}
	server := &http.Server{
		Handler:           exampleop.SetupServer(issuer, store, slog.New(slog.NewTextHandler(os.Stderr, nil)), false),
		ReadHeaderTimeout: time.Minute,
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	fmt.Println(issuer)
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}
