package main

import "context"

func raceOIDC(context.Context, *stage) (t tally, err error)       { return }
func outagePostgres(context.Context, *stage) (t tally, err error) { return }
func outageNetwork(context.Context, *stage) (t tally, err error)  { return }
func outageEndpoint(context.Context, *stage) (t tally, err error) { return }
func outageDNS(context.Context, *stage) (t tally, err error)      { return }
func outageDisk(context.Context, *stage) (t tally, err error)     { return }
