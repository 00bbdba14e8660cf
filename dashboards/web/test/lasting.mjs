// Keeps the status page open for long and in many tabs, and goes over it with the
// keyboard, in Debian's Chromium. The Go test that runs it serves the page and tells,
// by the environment:
//
//   MODULES  where playwright-core is installed
//   PROFILE  an empty directory for the browser
//   SMALL    the address of a director with three services
//   LARGE    that of one whose real servers are too many to be shown at once
//
// POST SMALL/test/WHAT takes a change into the next sample: nothing; surge, by which
// the service fwm4/257 has the most new connections; later, which comes two minutes
// after the one before. POST LARGE/test/real changes the rate of a real server that
// is up, LARGE/test/far counts that of one out of sight up from 8, LARGE/test/busy
// changes those of all services, LARGE/test/lose takes a real server from one, and
// LARGE/test/remove removes the last service.
import assert from "node:assert/strict"
import { createRequire } from "node:module"

const { MODULES, PROFILE, SMALL, LARGE } = process.env
const { chromium } = createRequire(`${MODULES}/`)("playwright-core")
const browser = await chromium.launchPersistentContext(PROFILE, {
  executablePath: "/usr/bin/chromium",
  viewport: { width: 1400, height: 900 },
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
})
browser.setDefaultTimeout(90000)
const faults = []
browser.on("weberror", e => faults.push(`${e.error()}`))
// Whether a page is looked at is said by the test, and whether it is hasty: then its
// requests end after a second.
await browser.addInitScript(() => {
  Object.defineProperty(Document.prototype, "hidden", { get: () => window.away ?? false })
  const timeout = AbortSignal.timeout
  AbortSignal.timeout = ms => timeout.call(AbortSignal, window.hasty ? 1000 : ms)
})
const next = async (what, where = SMALL) => assert.equal((await fetch(`${where}/test/${what}`, { method: "POST" })).status, 200)
const tick = page => page.locator("#tick").textContent()
const moved = (page, was) => page.waitForFunction(was => document.getElementById("tick").textContent !== was, was)
const looked = (page, away) => page.evaluate(away => {
  window.away = away
  document.dispatchEvent(new Event("visibilitychange"))
}, away)
const open = async (path = "/", where = SMALL) => {
  const page = await browser.newPage()
  await page.goto(where + path)
  await page.locator("#live", { hasText: "live" }).waitFor()
  return page
}
const part = async (name, use) => {
  const begin = Date.now()
  await use()
  console.log(`${name}: ${Date.now() - begin} ms`)
}

await part("keyboard", async () => {
  const page = await open()
  await page.evaluate(() => { window.same = true })
  await page.keyboard.press("Tab")
  await page.keyboard.press("Enter")
  await page.waitForFunction(() => document.activeElement.id === "main")
  await page.getByRole("link", { name: "Conn/s" }).focus()
  for (const order of ["descending", "ascending", "descending"]) {
    await page.keyboard.press("Enter")
    await page.locator(`th[aria-sort="${order}"]`).waitFor()
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Conn/s", `${order}: the keyboard's place is lost`)
  }
  assert(await page.evaluate(() => window.same), "the page was loaded anew")

  // In order it stays, though rates change.
  await next("surge")
  await page.waitForFunction(() => document.querySelector("tr.s").dataset.row === "fwm4/257")
  await page.close()
})

await part("requests that fail", async () => {
  const page = await open()
  await page.route("**/?q=hangs", () => {}) // never answered
  await page.route("**/?q=fails", route => route.fulfill({ status: 502, contentType: "application/json", body: '{"error": "out of <b>order</b>"}' }))
  const search = page.getByLabel("Search")
  await page.evaluate(() => { window.hasty = true })
  const asked = page.waitForRequest("**/?q=hangs")
  await search.fill("hangs")
  await asked
  await page.evaluate(() => { window.hasty = false })
  await search.fill("nothing that matches")
  await page.waitForFunction(() => document.querySelectorAll("tr[data-row]").length === 0)
  await search.fill("fails")
  await page.locator("#notice", { hasText: "could not be renewed: out of <b>order</b>." }).waitFor()
  await search.fill("")
  await page.locator("#notice .error").waitFor({ state: "detached" })
  await page.waitForFunction(() => document.querySelectorAll("tr[data-row]").length === 11)
  await page.close()
})

await part("without a stream, and with the clock set", async () => {
  const page = await browser.newPage()
  let refused = true
  await page.route("**/api/v1/events*", route => refused ? route.fulfill({ status: 503 }) : route.continue())
  await page.clock.install()
  await page.goto(SMALL)
  const was = await tick(page)
  await next("nothing")
  await page.clock.runFor(25000)
  await moved(page, was)
  assert.match(await page.locator("#live").textContent(), /^live/)
  refused = false
  await page.clock.runFor(25000)

  const since = page.locator('tr[data-row="tcp/192.0.2.10:443"] time')
  const age = await since.textContent()
  assert.match(age, /^14 d/)
  await page.clock.setSystemTime(Date.now() + 40 * 86400000)
  await page.clock.runFor(2000)
  const is = await tick(page)
  await next("nothing")
  await moved(page, is)
  await page.clock.runFor(2000)
  assert.equal(await since.textContent(), age)
  await page.close()
})

await part("a sample while the page is loaded", async () => {
  const page = await browser.newPage()
  let asked = 0
  page.on("request", r => { if (new URL(r.url()).pathname === "/") asked++ })
  let was
  await page.route("**/api/v1/events*", async route => {
    was = await tick(page)
    await next("nothing")
    route.continue()
  })
  await page.goto(SMALL)
  await page.locator("#live", { hasText: "live" }).waitFor()
  await moved(page, was)
  assert.equal(asked, 1, "it asked for itself once more")
  await page.close()
})

await part("a sample while the page is asked for", async () => {
  const page = await open()
  let asked = 0
  await page.route(/[?&]sort=/, async route => {
    asked++
    const response = await route.fetch()
    const was = await tick(page)
    await next("nothing")
    await moved(page, was)
    await route.fulfill({ response })
  })
  await page.getByRole("link", { name: "Conn/s" }).click()
  await page.locator('th[aria-sort="descending"]').waitFor()
  const latest = (await (await fetch(`${SMALL}/api/v1/rows`)).json()).tick
  assert.equal(await tick(page), latest.slice(0, 19).replace("T", " ") + " UTC", "an older page is shown as it was")
  assert.equal(asked, 1, "it asked once more")
  await page.close()
})

await part("many tabs", async () => {
  const tabs = []
  for (let i = 0; i < 7; i++) {
    tabs.push(await open())
    if (i < 6) await looked(tabs[i], true)
  }
  const was = await tick(tabs[6])
  await next("nothing")
  await moved(tabs[6], was)
  assert.equal(await tick(tabs[0]), was, "a tab that is not looked at listens")
  await looked(tabs[0], false)
  await moved(tabs[0], was)
  const is = await tick(tabs[0])
  await next("nothing")
  await moved(tabs[0], is)
  for (const page of tabs) await page.close()
})

await part("graphs", async () => {
  const page = await open("/service/tcp/192.0.2.10:443")
  const graph = page.locator("figure img").first()
  const read = () => page.evaluate(() => {
    const { dataset } = document.querySelector(".graphs")
    const ends = url => ["start", "end"].map(name => Date.parse(new URL(url, location).searchParams.get(name)) / 1000)
    const img = document.querySelector("figure img")
    return { loaded: [Number(dataset.from), Number(dataset.to)], picture: ends(img.src), earlier: ends(document.querySelector("a.button").href), words: document.getElementById("span").textContent, width: img.naturalWidth }
  })
  await page.waitForFunction(() => document.querySelector("figure img").naturalWidth > 0)
  const before = await read()
  assert.deepEqual(before.picture, before.loaded, "the picture is of another time than the page says")
  const src = await graph.getAttribute("src")
  await next("later")
  await page.waitForFunction(src => document.querySelector("figure img").getAttribute("src") !== src, src)
  const after = await read()
  const shift = after.picture[1] - before.picture[1]
  assert(shift >= 120 && shift < 180, `the picture moved by ${shift} s`)
  assert.deepEqual([after.picture[0] - before.picture[0], after.earlier[0] - before.earlier[0], after.earlier[1] - before.earlier[1]], [shift, shift, shift])
  const words = after.picture.map(s => new Date(s * 1000).toISOString().slice(0, 19).replace("T", " "))
  assert.equal(after.words, `${words[0]} to ${words[1]} UTC, 1 h`)
  await page.waitForFunction(() => [...document.querySelectorAll("figure img")].slice(0, 2).every(img => img.complete && img.naturalWidth > 0))
  await page.close()
})

await part("a large table", async () => {
  const all = await open("/?all=1", LARGE)
  const page = await open("/", LARGE)
  // What events leave out is asked for, in sight and out of it, and the page is not.
  let asked = 0
  all.on("request", r => { if (new URL(r.url()).pathname === "/") asked++ })
  await next("real", LARGE)
  await all.waitForFunction(() => document.querySelector("tr.r").cells[9].textContent === "7")
  const far = "tcp/203.0.0.12:443"
  const rate = n => all.waitForFunction(([far, n]) => document.querySelector(`tr[data-row^="${far},"]`).cells[9].textContent === n, [far, n])
  await next("far", LARGE)
  await rate("8")
  await all.locator(`tr[data-row="${far}"]`).scrollIntoViewIfNeeded()
  await next("far", LARGE)
  await rate("9")
  // So is a service one of whose real servers went.
  await next("lose", LARGE)
  await all.waitForFunction(() => document.querySelectorAll("tr.r").length === 999)
  assert.equal(asked, 0)
  // Every service has another number, and soon the page has them all.
  await next("busy", LARGE)
  await all.waitForFunction(() => document.body.dataset.behind === undefined && [...document.querySelectorAll("tr.s")].every(tr => tr.cells[9].textContent === "5"))

  // What was opened stays open while it is asked for again, and the keyboard at its
  // place.
  const more = page.getByRole("button", { name: "10 more" })
  await more.first().focus()
  await page.keyboard.press("Enter")
  await page.waitForFunction(() => document.querySelectorAll("tr.r").length === 10)
  assert.match(await page.evaluate(() => document.activeElement.href), /service\/tcp/)
  await more.first().focus()
  const place = () => page.evaluate(() => `${document.activeElement.localName} of ${document.activeElement.closest("tr")?.dataset.row}`)
  const there = await place()
  await page.route("**/service/**", () => {}) // never answered
  const services = await page.locator("tr.s:not(.gone)").count()
  await next("remove", LARGE)
  await page.waitForFunction(n => document.querySelectorAll("tr.s:not(.gone)").length === n - 1, services)
  assert.equal(await page.locator("tr.r").count(), 10)
  assert.equal(await place(), there)
})

assert.deepEqual(faults, [])
await browser.close()
