// Command fosite runs an authorization server made of Ory Fosite and its storage in memory,
// for the tests of the folder above. It is a module of its own, so that the hub does not
// depend on it.
//
// It listens on a free port of loopback, prints that address, and ends with its standard
// input. Everybody who comes to be asked is anna and consents. The arguments are a client ID,
// a client secret, a redirect URI and how long a refresh token is good after it was replaced.
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/storage"
	"golang.org/x/crypto/bcrypt"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fosite:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("want a client ID, a client secret, a redirect URI and a time of grace, got %d arguments", len(args))
	}
	grace, err := time.ParseDuration(args[3])
	if err != nil {
		return err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(args[1]), bcrypt.MinCost)
	if err != nil {
		return err
	}
	handler, err := serves(&fosite.DefaultClient{
		ID: args[0], Secret: hash, RedirectURIs: []string{args[2]}, ResponseTypes: []string{"code"},
		GrantTypes: []string{"authorization_code", "refresh_token"}, Scopes: []string{"email", "offline_access"},
	}, grace)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	fmt.Println("http://" + listener.Addr().String())
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// serves is the server of one client.
func serves(client *fosite.DefaultClient, grace time.Duration) (http.Handler, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	memory := storage.NewMemoryStore()
	memory.Clients[client.ID] = client
	provider := compose.ComposeAllEnabled(&fosite.Config{
		GlobalSecret: secret, EnforcePKCE: true, AccessTokenLifespan: 10 * time.Minute,
	}, newGracious(memory, grace), key)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) { authorize(r.Context(), provider, w, r) })
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) { token(r.Context(), provider, w, r) })
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) { userinfo(r.Context(), provider, w, r) })
	return mux, nil
}

func authorize(ctx context.Context, provider fosite.OAuth2Provider, w http.ResponseWriter, r *http.Request) {
	request, err := provider.NewAuthorizeRequest(ctx, r)
	if err != nil {
		provider.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
	response, err := provider.NewAuthorizeResponse(ctx, request, &fosite.DefaultSession{Subject: "anna", Username: "anna"})
	if err != nil {
		provider.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	provider.WriteAuthorizeResponse(ctx, w, request, response)
}

func token(ctx context.Context, provider fosite.OAuth2Provider, w http.ResponseWriter, r *http.Request) {
	request, err := provider.NewAccessRequest(ctx, r, &fosite.DefaultSession{})
	if err != nil {
		provider.WriteAccessError(ctx, w, request, err)
		return
	}
	response, err := provider.NewAccessResponse(ctx, request)
	if err != nil {
		provider.WriteAccessError(ctx, w, request, err)
		return
	}
	provider.WriteAccessResponse(ctx, w, request, response)
}

func userinfo(ctx context.Context, provider fosite.OAuth2Provider, w http.ResponseWriter, r *http.Request) {
	_, request, err := provider.IntrospectToken(ctx, fosite.AccessTokenFromRequest(r), fosite.AccessToken, &fosite.DefaultSession{})
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"sub": request.GetSession().GetSubject(), "email": "anna@example.test"})
}
