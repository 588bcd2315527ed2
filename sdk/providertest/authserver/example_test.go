package authserver_test

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// renew is a client that renews once and returns the status.
func renew(address, refreshToken string) int {
	resp, err := http.PostForm(address+"/token", url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}, "client_id": {"client"}, "client_secret": {"secret"},
	})
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// The server is the judge: a client that sends a spent refresh token again loses the grant.
func ExampleServer_DoubleSpent() {
	server := authserver.New(authserver.Config{})
	address, err := server.Start("")
	if err != nil {
		panic(err)
	}
	defer func() { _ = server.Close() }()
	granted := server.Grant(authserver.DefaultAccounts()[0], "mail")
	fmt.Println(renew(address, granted.Refresh), server.RefreshTokenState(granted.Refresh))
	fmt.Println(renew(address, granted.Refresh), server.DoubleSpent(), server.Families()[0].Revoked)
	// Output:
	// 200 spent
	// 400 1 true
}

// A fault that strikes late has rotated the token: only the reply is lost.
func ExampleServer_SetFault() {
	server := authserver.New(authserver.Config{})
	address, err := server.Start("")
	if err != nil {
		panic(err)
	}
	defer func() { _ = server.Close() }()
	granted := server.Grant(authserver.DefaultAccounts()[0])
	server.SetFault(authserver.Fault{GrantType: "refresh_token", Times: 1, Late: true, Status: http.StatusBadGateway})
	fmt.Println(renew(address, granted.Refresh), server.RefreshTokenState(granted.Refresh))
	// Output: 502 spent
}
