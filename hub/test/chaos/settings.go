package main

import "time"

// renewalTimes are a hub's settings of renewals; zero leaves the hub's own default.
// Whatever the parts set is in this file.
type renewalTimes struct {
	// request bounds the plugin's own work, and exchange everything from the first
	// byte of the request to its answer.
	request, exchange time.Duration
	lease             time.Duration
	// takeover has to be longer than exchange and what comes after the answer.
	takeover time.Duration
	// shutdown bounds a stop: what is out is waited for.
	shutdown time.Duration
}

func (t renewalTimes) env() []string {
	var env []string
	for _, s := range []struct {
		variable string
		value    time.Duration
	}{
		{"EVERGRANT_RENEWAL_REQUEST_TIMEOUT", t.request},
		{"EVERGRANT_RENEWAL_EXCHANGE_TIMEOUT", t.exchange},
		{"EVERGRANT_RENEWAL_LEASE", t.lease},
		{"EVERGRANT_RENEWAL_TAKEOVER", t.takeover},
		{"EVERGRANT_SHUTDOWN_TIMEOUT", t.shutdown},
	} {
		if s.value > 0 {
			env = append(env, s.variable+"="+s.value.String())
		}
	}
	return env
}

// cellTimes are times of the matrix's hubs: short, because each cell waits for some
// of them. They are longer in a short run: its parts go side by side, and a hub that
// has too little of the processor must not be taken for one that has lost a grant.
func cellTimes(st *stage) renewalTimes {
	return sized(st,
		renewalTimes{request: 2 * time.Second, exchange: 2 * time.Second, lease: 3 * time.Second},
		renewalTimes{request: 5 * time.Second, exchange: 5 * time.Second, lease: 6 * time.Second})
}

// cellTakeover is the takeover time where a cell waits for it, recoveryTimeout bounds a
// cell.
func cellTakeover(st *stage) time.Duration { return sized(st, 7*time.Second, 16*time.Second) }
func cellTimeout(st *stage) time.Duration  { return sized(st, 45*time.Second, 90*time.Second) }

// fleetTimes let the leases of killed hubs end soon. Where no hub is killed a short
// run gives more time: its parts go side by side, and an answer that comes too late
// is lost, and with it the grant, as nobody can help.
func fleetTimes(st *stage, part string) renewalTimes {
	quick := renewalTimes{request: 5 * time.Second, lease: 10 * time.Second}
	if part == "kills" || part == "drill" {
		return quick
	}
	return sized(st, quick, renewalTimes{request: 20 * time.Second, lease: 40 * time.Second})
}

// aloneTimes are short where requests hang until their time is over, and in a short
// run long elsewhere, as those of a fleet.
func aloneTimes(st *stage, name string) renewalTimes {
	quick := renewalTimes{request: 2 * time.Second, lease: 5 * time.Second}
	if name == "endpoint-hang" {
		return sized(st,
			renewalTimes{request: 2 * time.Second, exchange: 2 * time.Second, lease: 5 * time.Second},
			renewalTimes{request: 5 * time.Second, exchange: 5 * time.Second, lease: 10 * time.Second})
	}
	return sized(st, quick, renewalTimes{request: 20 * time.Second, lease: 40 * time.Second})
}

// worldTimes are the hub's defaults where a scene is about them; a short run puts
// the plugin's time below what the scene lets an answer take.
func worldTimes(st *stage) renewalTimes {
	return sized(st, renewalTimes{}, renewalTimes{request: 3 * time.Second, lease: 20 * time.Second})
}

// frozenTimes are those of scenes in which somebody is frozen for longer than the
// plugin's time.
func frozenTimes() renewalTimes {
	return renewalTimes{request: 5 * time.Second, lease: 20 * time.Second}
}

// lateSendTimes let another replica take over soon.
func lateSendTimes() renewalTimes {
	return renewalTimes{request: 2 * time.Second, exchange: 3 * time.Second, lease: 4 * time.Second, takeover: 8 * time.Second}
}

// randomTimes are short for the plugin, and leave an exchange all the time that the
// latest answer takes; a stop waits as long.
func randomTimes() renewalTimes {
	return renewalTimes{
		request: 5 * time.Second, exchange: 100 * time.Second, lease: 10 * time.Second,
		takeover: 3 * time.Minute, shutdown: 100 * time.Second,
	}
}

// dataTimes are those of scenes about data: what is left open is taken up soon, and no
// answer is given up.
func dataTimes(*stage) renewalTimes {
	return renewalTimes{request: 10 * time.Second, exchange: 20 * time.Second, lease: 20 * time.Second}
}
