// Command dex runs the server of Dex with its storage in memory and its mock connector, for
// the tests of the folder above. It is a module of its own, so that the hub does not depend
// on it.
//
// It listens on a free port of loopback, prints its issuer, and ends with its standard
// input. The arguments are a client ID, a client secret, a redirect URI and how long a
// refresh token is good without use, "0s" for ever.
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	gosundheit "github.com/AppsFlyer/go-sundheit"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/server/signer"
	"github.com/dexidp/dex/server/tokens"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "dex:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("want a client ID, a client secret, a redirect URI and a lifetime, got %d arguments", len(args))
	}
	unused, err := time.ParseDuration(args[3])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	issuer := "http://" + listener.Addr().String()
	handler, err := dex(ctx, issuer, storage.Client{ID: args[0], Secret: args[1], RedirectURIs: []string{args[2]}, Name: "the hub"}, unused)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
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

// dex is the server with one client and the connector that logs everybody in as one person.
// Refresh tokens rotate, without an interval in which a spent one may come back.
func dex(ctx context.Context, issuer string, client storage.Client, unused time.Duration) (http.Handler, error) {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	store := unlocked{memory.New(logger)}
	if err := store.CreateClient(ctx, client); err != nil {
		return nil, err
	}
	if err := store.CreateConnector(ctx, storage.Connector{ID: "mock", Type: "mockCallback", Name: "Mock", ResourceVersion: "1"}); err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	signs, err := signer.NewMockSigner(key)
	if err != nil {
		return nil, err
	}
	return server.NewServer(ctx, server.Config{
		Issuer: issuer, Storage: store, Signer: signs, Logger: logger, IDTokensValidFor: 10 * time.Minute,
		RefreshTokenPolicy: tokens.NewRefreshStrategy(true, 0, unused, 0, nil),
		PrometheusRegistry: prometheus.NewRegistry(), HealthChecker: gosundheit.New(),
	})
}

// unlocked lets an update of a refresh token read other rows, as Dex's databases do. The storage
// in memory would wait for itself there.
type unlocked struct{ storage.Storage }

// UpdateRefreshToken implements storage.Storage. There is one request at a time.
func (u unlocked) UpdateRefreshToken(ctx context.Context, id string, updater func(storage.RefreshToken) (storage.RefreshToken, error)) error {
	old, err := u.GetRefresh(ctx, id)
	if err != nil {
		return err
	}
	next, err := updater(old)
	if err != nil {
		return err
	}
	return u.Storage.UpdateRefreshToken(ctx, id, func(storage.RefreshToken) (storage.RefreshToken, error) { return next, nil })
}
