// Closed-loop job-board load on etcd v3.
//   post    = Txn(if create_revision(job)==0 then put job)
//   claim   = Txn(if create_revision(lock)==0 and create_revision(job)>0 then put lock=who)
//   consume = Txn(if value(lock)==who then delete job, delete lock)
// usage: etcd -e endpoint -c conc -w warm -s secs
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/clientv3"
	"go.uber.org/zap"
	"google.golang.org/grpc/grpclog"

	"math/bits"
)

type hist struct {
	n uint64
	b [4096]uint64
}

func (h *hist) add(v uint64) {
	i := v
	if v >= 64 {
		e := 63 - bits.LeadingZeros64(v)
		i = uint64(e-5)*64 + (v>>(uint(e)-6))&63
	}
	h.b[i]++
	h.n++
}
func (h *hist) merge(o *hist) {
	h.n += o.n
	for i := range h.b {
		h.b[i] += o.b[i]
	}
}
func (h *hist) us(p float64) float64 {
	if h.n == 0 {
		return 0
	}
	want := uint64(p * float64(h.n))
	if want >= h.n {
		want = h.n - 1
	}
	var c uint64
	for i := range h.b {
		c += h.b[i]
		if c > want {
			v := uint64(i)
			if i >= 64 {
				e := uint(i/64 + 5)
				v = uint64(64+i%64) << (e - 6)
			}
			return float64(v) / 1000
		}
	}
	return 0
}

const details = `{"flow":"resize-volume","store":{"volume_id":"3f6e2a1c-55c1-4b6e-9f0e-6f2d1f0c9a77",` +
	`"size_gb":128,"tenant":"acme-prod","retries":3},"book":"8c1f7f0a-0b7d-4a52-a6b3-1f6b2f9d4c10","p":1}`

func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&15 | 64
	b[8] = b[8]&63 | 128
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

var lastAck, maxGap int64 // ns since start
var total, errs uint64
var gapMu sync.Mutex

func main() {
	endpoint := flag.String("e", "127.0.0.1:2379", "")
	conc := flag.Int("c", 1, "")
	warm := flag.Float64("w", 2, "")
	secs := flag.Float64("s", 10, "")
	flag.Parse()
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(nopw{}, nopw{}, nopw{}))
	lc := zap.NewProductionConfig()
	lc.Level = zap.NewAtomicLevelAt(zap.FatalLevel)
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{*endpoint}, DialTimeout: 5 * time.Second, LogConfig: &lc})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	start := time.Now()
	meas := start.Add(time.Duration(*warm * 1e9))
	end := meas.Add(time.Duration(*secs * 1e9))
	measNs, endNs := int64(meas.Sub(start)), int64(end.Sub(start))
	var wg sync.WaitGroup
	hs := make([][3]hist, *conc)
	lives := make([]uint64, *conc)
	for w := 0; w < *conc; w++ {
		wg.Add(1)
		go func(w int) {
			defer wg.Done()
			kv := clientv3.NewKV(client)
			who := fmt.Sprintf("worker-%d", w)
			h := &hs[w]
			ack := func(op int, t0 time.Time) {
				t1 := time.Now()
				n := int64(t1.Sub(start))
				if n >= measNs && n < endNs {
					h[op].add(uint64(t1.Sub(t0)))
					if op == 2 {
						lives[w]++
					}
					gapMu.Lock()
					if lastAck > 0 && n-lastAck > maxGap {
						maxGap = n - lastAck
					}
					lastAck = n
					gapMu.Unlock()
				}
				if op == 2 {
					atomic.AddUint64(&total, 1)
				}
			}
			txn := func(cmp []clientv3.Cmp, ops ...clientv3.Op) bool {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				r, err := kv.Txn(ctx).If(cmp...).Then(ops...).Commit()
				cancel()
				if err != nil || !r.Succeeded {
					atomic.AddUint64(&errs, 1)
					if err != nil {
						fmt.Fprintln(os.Stderr, err)
						time.Sleep(50 * time.Millisecond)
					}
					return false
				}
				return true
			}
			for time.Now().Before(end) {
				id := uuid()
				job, lock := "/taskflow/jobs/"+id+".data", "/taskflow/jobs/"+id+".lock"
				val := `{"uuid":"` + id + `","name":"job-resize","details":` + details + `}`
				t := time.Now()
				if !txn([]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(job), "=", 0)}, clientv3.OpPut(job, val)) {
					continue
				}
				ack(0, t)
				t = time.Now()
				if !txn([]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(lock), "=", 0),
					clientv3.Compare(clientv3.CreateRevision(job), ">", 0)}, clientv3.OpPut(lock, who)) {
					continue
				}
				ack(1, t)
				t = time.Now()
				if !txn([]clientv3.Cmp{clientv3.Compare(clientv3.Value(lock), "=", who)},
					clientv3.OpDelete(job), clientv3.OpDelete(lock)) {
					continue
				}
				ack(2, t)
			}
		}(w)
	}
	wg.Wait()
	var all [3]hist
	var life uint64
	for w := range hs {
		for i := range all {
			all[i].merge(&hs[w][i])
		}
		life += lives[w]
	}
	if endNs-lastAck > maxGap {
		maxGap = endNs - lastAck
	}
	fmt.Printf("lifecycles_per_s=%.0f post_p50_us=%.0f post_p99_us=%.0f claim_p50_us=%.0f claim_p99_us=%.0f consume_p50_us=%.0f consume_p99_us=%.0f total=%d errors=%d maxgap_ms=%d\n",
		float64(life)/(*secs), all[0].us(.5), all[0].us(.99), all[1].us(.5), all[1].us(.99), all[2].us(.5), all[2].us(.99),
		total, errs, maxGap/1e6)
}

type nopw struct{}

func (nopw) Write(p []byte) (int, error) { return len(p), nil }
