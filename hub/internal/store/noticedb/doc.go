// Package noticedb reads and writes what people are told: incidents, escalations and their
// deliveries, channels, policies and message texts, and requests for services.
package noticedb
