package main

import (
	"cmp"
	"context"
	"strconv"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Identify implements provider.Identifier. Every token reply names the account of the
// grant, so no request is made. The portal's own id stays when its address changes.
func (bitrix24) Identify(_ context.Context, req *provider.IdentifyRequest) (*provider.Account, error) {
	portal, err := portalOf(req.Service)
	if err != nil {
		return nil, err
	}
	host := cmp.Or(hostOf(req.Current.Text("client_endpoint")), req.Current.Text(extraPortal), hostOf(portal))
	account := &provider.Account{ID: cmp.Or(req.Current.Text("member_id"), host), Name: host}
	// A reply without the user is not known; a fresh grant is not thrown away for it.
	if id, ok := number(req.Current.Extra["user_id"]); ok {
		user := strconv.FormatInt(id, 10)
		account.ID += ":" + user
		account.Name += " · ID " + user
	}
	return account, nil
}
