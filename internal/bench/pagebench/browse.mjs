// Opens pages in Debian's Chromium and measures them, for internal/bench/pagebench.
//
//   browse.mjs paint ROUNDS URL...         each page anew, in turns: {"paint": …};
//                                          of once=URL only the first paint, after
//                                          the first round
//   browse.mjs follow WINDOWS SECONDS URL  one page that is scrolled all the time:
//                                          first while nobody tells it of samples,
//                                          {"still": …} for each of two windows;
//                                          then loaded again, {"request": …} for
//                                          whatever it asks for, {"following": true}
//                                          once it follows, {"window": …} for each
//
// Each line it prints is one of these. MODULES of the environment is where
// playwright-core is installed.
import { createRequire } from "node:module"

const { chromium } = createRequire(`${process.env.MODULES}/`)("playwright-core")
const [what, ...args] = process.argv.slice(2)
const print = line => console.log(JSON.stringify(line))

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
})

// fresh is a page of a browser that has seen nothing yet, with the protocol to it.
async function fresh() {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } })
  context.setDefaultTimeout(300000)
  const page = await context.newPage()
  const protocol = await context.newCDPSession(page)
  // Times on a processor: what else runs on the machine is not in them.
  await protocol.send("Performance.enable", { timeDomain: "threadTicks" })
  return { context, page, protocol }
}

async function metrics(protocol) {
  const { metrics } = await protocol.send("Performance.getMetrics")
  return Object.fromEntries(metrics.map(m => [m.name, m.value]))
}

// firstPaint and painted are what a page tells of how it came up; times are in
// milliseconds since it was asked for. The page that a later sample had it ask for
// anew is not of its bytes.
const firstPaint = () => new Promise(done => {
  new PerformanceObserver(list => {
    const entry = list.getEntries().find(e => e.name === "first-contentful-paint")
    if (entry) done({ first: entry.startTime })
  }).observe({ type: "paint", buffered: true })
})

const painted = () => {
  const [page] = performance.getEntriesByType("navigation")
  const all = [page, ...performance.getEntriesByType("resource").filter(r => r.decodedBodySize > 0 && r.name !== location.href)]
  const sum = name => all.reduce((bytes, r) => bytes + r[name], 0)
  return {
    load: page.loadEventEnd,
    sent: sum("encodedBodySize"),
    bytes: sum("decodedBodySize"),
    nodes: document.getElementsByTagName("*").length,
  }
}

async function paint(url, whole) {
  const { context, page, protocol } = await fresh()
  await page.goto(url, { waitUntil: whole ? "load" : "commit" })
  const seen = await page.evaluate(firstPaint)
  if (whole) {
    Object.assign(seen, await page.evaluate(painted))
    await protocol.send("HeapProfiler.collectGarbage")
    seen.heap = (await metrics(protocol)).JSHeapUsedSize
  }
  print({ paint: { url, ...seen } })
  await context.close()
}

// scrolled scrolls through the page for some seconds, a step in each frame, and
// tells what got in the way of it: times in milliseconds.
const scrolled = seconds => new Promise(done => {
  const seen = { frames: 0, slow: 0, longestFrame: 0, longestTask: 0, longTasks: 0, shift: 0, samples: 0 }
  const watch = (type, each) => {
    const observer = new PerformanceObserver(list => list.getEntries().forEach(each))
    observer.observe({ type })
    return observer
  }
  const observers = [
    watch("longtask", e => {
      seen.longestTask = Math.max(seen.longestTask, e.duration)
      seen.longTasks += e.duration
    }),
    watch("layout-shift", e => { seen.shift += e.value }),
  ]
  let box = document.getElementById("table")
  while (box && !(box.scrollHeight > box.clientHeight + 100 && /auto|scroll/.test(getComputedStyle(box).overflowY))) box = box.parentElement
  box ??= document.scrollingElement
  const tick = () => document.getElementById("tick").textContent
  let by = 12
  let last = performance.now()
  let shown = tick()
  const end = last + 1000 * seconds
  const frame = () => {
    const now = performance.now()
    seen.frames++
    seen.longestFrame = Math.max(seen.longestFrame, now - last)
    if (now - last > 50) seen.slow++
    last = now
    if (tick() !== shown) {
      shown = tick()
      seen.samples++
    }
    const before = box.scrollTop
    box.scrollTop += by
    if (box.scrollTop === before) by = -by
    if (now < end) {
      requestAnimationFrame(frame)
      return
    }
    observers.forEach(o => o.disconnect())
    done(seen)
  }
  requestAnimationFrame(frame)
})

async function follow(windows, seconds, url) {
  const { page, protocol } = await fresh()
  const look = async () => {
    const before = await metrics(protocol)
    const seen = await page.evaluate(scrolled, seconds)
    const after = await metrics(protocol)
    const took = name => 1000 * (after[name] - before[name])
    return { ...seen, script: took("ScriptDuration"), layout: took("LayoutDuration") + took("RecalcStyleDuration"), busy: took("TaskDuration"), heap: after.JSHeapUsedSize }
  }
  const events = "**/api/v1/events*"
  await page.route(events, route => route.abort())
  await page.goto(url, { waitUntil: "load" })
  for (let i = 0; i < 2; i++) print({ still: await look() })
  await page.goto("about:blank")
  await page.unroute(events)

  page.on("request", r => {
    const { protocol, pathname, search } = new URL(r.url())
    if (protocol.startsWith("http")) print({ request: { path: pathname + search, accept: r.headers().accept ?? "*/*" } })
  })
  await page.goto(url, { waitUntil: "load" })
  for (let told = 0; told < 3; told++) {
    const old = await page.locator("#tick").textContent()
    await page.waitForFunction(old => document.getElementById("tick").textContent !== old, old)
  }
  print({ following: true })
  for (let i = 0; i < windows; i++) print({ window: await look() })
}

if (what === "paint") {
  const [rounds, ...urls] = args
  for (let i = 0; i < Number(rounds); i++) {
    for (const url of urls) await paint(url.replace("once=", ""), i === 0 || !url.startsWith("once="))
  }
} else {
  const [windows, seconds, url] = args
  await follow(Number(windows), Number(seconds), url)
}
await browser.close()
