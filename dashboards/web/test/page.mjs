// Uses the status page as people do, in Debian's Chromium. The Go test that runs
// it serves the page and tells, by the environment:
//
//   MODULES  where playwright-core and axe-core are installed
//   PROFILE  an empty directory for the browser
//   SHOTS    where screenshots go
//   SMALL    the address of a director with three services and all states, one service
//            removed, and one that only the history knows
//   LARGE    that of one with 1,000 services of 10 real servers
//
// The first picture of active connections is refused, as by an agent that is busy.
// POST SMALL/test/down takes the real server 10.0.0.1:443 of 192.0.2.10:443 out of
// service in the next sample, POST SMALL/test/remove removes another from the
// table, POST LARGE/test/busy changes all numbers of all services, and POST
// LARGE/test/flap takes a real server out of service, or back into it.
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"

const { MODULES, PROFILE, SHOTS, SMALL, LARGE } = process.env
const require = createRequire(`${MODULES}/`)
const { chromium } = require("playwright-core")
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8")

const web = "tcp/192.0.2.10:443"
const first = `tr[data-row="${web},10.0.0.1:443"]`

const browser = await chromium.launchPersistentContext(PROFILE, {
  executablePath: "/usr/bin/chromium",
  viewport: { width: 1400, height: 900 },
  colorScheme: "light",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
})
browser.setDefaultTimeout(90000)
const complaints = []
let excused = false // what fails is meant to
browser.on("console", m => { if (m.type() === "error" && !excused) complaints.push(`console: ${m.text()} ${m.location().url}`) })
browser.on("weberror", e => complaints.push(`error: ${e.error()}`))
browser.on("request", r => {
  const url = new URL(r.url())
  if (url.protocol.startsWith("http") && url.hostname !== "127.0.0.1") complaints.push(`a request to ${r.url()}`)
})

async function accessible(page, what) {
  // axe is put in by the browser, past the page's policy.
  const rules = await page.evaluate(`${axe}; axe.run()`)
  for (const v of rules.violations) complaints.push(`axe, ${what}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.html).join(" ")}`)
  assert(rules.passes.length > 10, "axe looked at nothing")
}

async function shot(page, name) {
  await page.evaluate(() => scrollTo(0, 0))
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true })
}
const rows = page => page.locator("tr[data-row]").count()
const next = async (what, where = SMALL) => assert.equal((await fetch(`${where}/test/${what}`, { method: "POST" })).status, 200)
const figure = (page, id) => page.locator(`[data-fig="${id}"]`).textContent()

// parts are the figures and the table as they are on the page, but for ages, which
// go on.
const parts = page => page.evaluate(() => ["figures", "table", "summary", "tick"].map(id => {
  const copy = document.getElementById(id).cloneNode(true)
  copy.querySelectorAll("time").forEach(time => time.replaceChildren())
  copy.querySelectorAll('[class=""]').forEach(element => element.removeAttribute("class"))
  return copy.innerHTML.replace(/>\s+</g, "><")
}))

// same holds two such against each other, and shows where they begin to differ.
function same(got, want) {
  for (const [i, text] of want.entries()) {
    let at = 0
    while (at < text.length && text[at] === got[i][at]) at++
    assert.equal(got[i].slice(Math.max(at - 100, 0), at + 100), text.slice(Math.max(at - 100, 0), at + 100))
  }
}

const page = await browser.newPage()
await page.goto(`${SMALL}/`)
assert.equal(await rows(page), 11)
assert.equal(await page.locator(`${first} td`).first().textContent(), "up")
await page.locator("#live", { hasText: "live" }).waitFor()
assert(await page.evaluate(() => document.documentElement.scrollWidth) <= 1400, "the table is wider than the window")
await accessible(page, "light")
await shot(page, "table-light")

// Laid out as it is, it is still a table to who does not see it.
const protocol = await browser.newCDPSession(page)
const { nodes } = await protocol.send("Accessibility.getFullAXTree")
const having = role => nodes.filter(node => node.role?.value === role).length
assert.deepEqual([having("table"), having("row"), having("rowheader")], [1, 13, 11])
assert(having("columnheader") >= 16 && having("cell") >= 11 * 15, "the table's cells are none")

// What the figures say, and the exact number behind a rounded one.
assert.equal(await figure(page, "reals.down"), "1 down")
assert.equal(await figure(page, "services"), "3 of 3, 1 removed")
assert.equal(await figure(page, "sync"), "master eth1 id 7")
assert.match(await figure(page, "conn_table"), /398 in 4096 buckets/)
assert.match(await page.title(), /^1 down · Virtual services on .* · lvs-agent$/)
assert.deepEqual(await page.locator(`tr[data-row="${web}"] td`).nth(13).evaluate(td => [td.textContent, td.title]), ["9.8 GB", "9777777768 bytes"])

// What happens to the director is on the page at once.
await next("down")
const begin = Date.now()
await page.locator(`${first}.down`).waitFor()
console.log(`a real server that is down is shown after ${Date.now() - begin} ms`)
assert.match(await page.locator(`${first} td`).nth(1).textContent(), /^\d+ (s|min) weight is 0/)
assert.equal(await figure(page, "reals.down"), "2 down")
assert.match(await page.title(), /^2 down/)

// One that is removed stays, as what it is.
await next("remove")
const gone = page.locator(`tr[data-row="${web},10.0.0.2:443"].gone`)
await gone.waitFor()
assert.match(await gone.textContent(), /web2down\d+ (s|min) removed from the table–/)
assert.equal(await rows(page), 11)
assert.equal(await figure(page, "reals.removed"), "1 removed")

// A page that events kept up to date is one that is loaded anew, and ages count.
const removed = await page.locator("#tick").textContent()
await next("nothing")
await page.waitForFunction(was => document.getElementById("tick").textContent !== was, removed)
const kept = await parts(page)
const aged = await page.locator(`${first} time`).textContent()
await page.waitForFunction(([row, was]) => document.querySelector(`${row} time`).textContent !== was, [first, aged])
await page.reload()
same(kept, await parts(page))
await page.locator("#live", { hasText: "live" }).waitFor()
await shot(page, "table-removed")

// Ages are as the server writes them; twenty seconds on, which may be some more or
// fewer on a busy machine, whole minutes are as they were.
const ages = (await readFile(new URL("../testdata/ages.txt", import.meta.url), "utf8")).trim().split("\n").map(line => line.split("\t"))
const written = await page.evaluate(async seconds => {
  const times = seconds.map(s => {
    const time = document.createElement("time")
    time.dateTime = new Date(Date.now() - s * 1000 - 20000).toISOString()
    time.textContent = "?"
    return time
  })
  document.querySelector("tr[data-row] td").append(...times)
  while (times.at(-1).textContent === "?") await new Promise(done => setTimeout(done, 5))
  const list = times.map(time => time.textContent)
  times.forEach(time => time.remove())
  return list
}, ages.map(([s]) => Number(s)))
for (const [i, [s, text]] of ages.entries()) {
  if (s % 60 === 0 && s > 0) assert.equal(written[i], text, `${s} s`)
}

// Order, filter, search.
const services = () => page.locator("tr.s:not(.gone)").evaluateAll(list => list.map(tr => tr.dataset.row))
const before = await services()
await page.getByRole("link", { name: "Conn/s" }).click()
await page.locator('th[aria-sort="descending"]').waitFor()
assert.deepEqual(await services(), ["udp/[2001:db8::1]:53", web, "fwm4/257"])
assert.notDeepEqual(before, await services())
await page.getByLabel("State").selectOption("down")
await page.waitForFunction(() => document.querySelectorAll("tr.r").length === 3)
await page.getByLabel("State").selectOption("removed")
await page.waitForFunction(() => document.querySelectorAll("tr.r").length === 1 && document.querySelectorAll("tr.s.gone").length === 1)
await page.getByLabel("State").selectOption("")
await page.getByLabel("Search").fill("db8::2")
await page.waitForFunction(() => document.querySelectorAll("tr[data-row]").length === 2)
await page.getByLabel("Search").fill("")
await page.waitForFunction(() => document.querySelectorAll("tr[data-row]").length === 11)

// A figure leads to the real servers it counts.
await page.locator('[data-fig="reals.draining"]').click()
await page.waitForURL(/state=draining/)
assert.equal(await page.locator("tr.r").count(), 1)
await page.goto(`${SMALL}/`)

// Light and dark, kept over pages.
const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
assert.equal(await paper(), "rgb(255, 255, 255)")
await page.getByRole("button", { name: "Dark" }).click()
assert.notEqual(await paper(), "rgb(255, 255, 255)")
await accessible(page, "dark")
await shot(page, "table-dark")

// The keyboard gets to the table first.
await page.reload()
await page.keyboard.press("Tab")
assert.equal(await page.evaluate(() => document.activeElement.className), "skip")

// A service, its graphs, one of which comes only when asked for again, and a time
// dragged over.
excused = true
await page.locator(`tr[data-row="${web}"] a`).click()
await page.waitForURL(`**/service/${web}`)
assert.notEqual(await paper(), "rgb(255, 255, 255)")
assert.match(await page.locator(".facts").first().textContent(), /Persistence300 s clients of 255\.255\.255\.0/)
const graph = page.locator("figure img").first()
await graph.scrollIntoViewIfNeeded()
await page.waitForFunction(() => document.querySelector("figure img").naturalWidth > 0)
assert.match(await graph.getAttribute("src"), /theme=dark/)
await page.getByAltText(/^Connections/).scrollIntoViewIfNeeded()
await page.waitForFunction(() => document.querySelector('img[alt^="Connections"]').naturalWidth > 0)
excused = false
await accessible(page, "service")
await shot(page, "service-dark")
await graph.scrollIntoViewIfNeeded()
const area = await graph.boundingBox()
// At once: the picture has not yet told where its axis is.
await page.mouse.move(area.x + area.width * 0.4, area.y + area.height * 0.4)
await page.mouse.down()
await page.mouse.move(area.x + area.width * 0.6, area.y + area.height * 0.5, { steps: 5 })
assert(await page.locator(".span").first().isVisible())
excused = true // the stream of the page that is left
await page.mouse.up()
const span = () => {
  const { searchParams } = new URL(page.url())
  return (Date.parse(searchParams.get("end")) - Date.parse(searchParams.get("start"))) / 1000
}
await page.waitForURL(/start=[^&]+Z&end=[^&]+Z/)
const dragged = span()
assert(dragged > 600 && dragged < 1000, `a fifth of an hour's picture is ${dragged} s`)

// The same by the keyboard.
for (const [name, length] of [["Zoom in", 0.5], ["← Earlier", 0.5], ["Zoom out", 1]]) {
  const url = page.url()
  await page.getByRole("link", { name }).focus()
  await page.keyboard.press("Enter")
  await page.waitForURL(u => u.href !== url)
  assert(Math.abs(span() - length * dragged) <= 2, `${name}: ${span()} s after ${dragged} s`)
}
await page.goBack()
await page.waitForFunction(() => document.querySelector("figure img").naturalWidth > 0)

// What went from the table has its page, and so has what only the history knows.
for (const key of ["tcp/192.0.2.99:80", "fwm4/4711", `${web}?real=10.0.0.2:443`]) {
  await page.goto(`${SMALL}/service/${key}`)
  assert.match(await page.locator("tr.gone").first().textContent(), /removed from the table/)
  if (!key.includes("real")) await page.waitForFunction(() => document.querySelector("figure img").naturalWidth > 0)
}
excused = false
await accessible(page, "removed")

// On a phone nothing is wider than the screen.
await page.setViewportSize({ width: 390, height: 800 })
for (const [name, path] of [["phone", "/"], ["phone-service", `/service/${web}`]]) {
  await page.goto(SMALL + path)
  assert(await page.evaluate(() => document.documentElement.scrollWidth) <= 390, `${name} is wider than the screen`)
  await accessible(page, name)
  await shot(page, name)
}

// On paper all columns are there.
await page.setViewportSize({ width: 1000, height: 700 })
await page.goto(`${SMALL}/`)
await page.emulateMedia({ media: "print" })
await page.waitForFunction(() => matchMedia("print").matches)
assert(await page.evaluate(() => document.getElementById("table").getBoundingClientRect().right) <= 1000, "the table is wider than the paper")
assert.equal(await paper(), "rgb(255, 255, 255)")
await shot(page, "print")
await page.emulateMedia({ media: null })
await page.setViewportSize({ width: 1400, height: 900 })

// Without scripts the same is had by asking for it.
await protocol.send("Emulation.setScriptExecutionDisabled", { value: true })
await page.goto(`${SMALL}/`)
assert.equal(await rows(page), 11)
await page.getByRole("link", { name: "Down only" }).click()
await page.waitForURL(/state=down/)
assert.equal(await page.locator("tr.r").count(), 3)
await page.getByLabel("Search").fill("web")
await page.getByRole("button", { name: "Show" }).click()
await page.waitForURL(/q=web/)
assert.equal(await rows(page), 4)
await protocol.send("Emulation.setScriptExecutionDisabled", { value: false })

// A large director, all of whose numbers change every moment.
await page.goto(`${LARGE}/`)
const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime)
console.log(`1,000 services: first paint after ${Math.round(paint)} ms`)
assert.equal(await rows(page), 1000)
await page.locator("#live", { hasText: "live" }).waitFor()
await page.evaluate(() => {
  window.long = []
  window.shifts = 0
  new PerformanceObserver(list => window.long.push(...list.getEntries().map(e => Math.round(e.duration)))).observe({ type: "longtask" })
  new PerformanceObserver(list => { for (const e of list.getEntries()) window.shifts += e.value }).observe({ type: "layout-shift" })
})
await page.mouse.wheel(0, 5000)
for (let i = 0; i < 3; i++) {
  const was = await page.locator("#tick").textContent()
  await next("busy", LARGE)
  await page.waitForFunction(was => document.getElementById("tick").textContent !== was, was)
}
assert(await page.evaluate(() => document.querySelector("thead").getBoundingClientRect().top) >= 0, "the headings are scrolled away")
const jank = await page.evaluate(() => [window.long, window.shifts])
console.log(`1,000 services that change: long tasks of ${jank[0].join(", ") || "0"} ms, layout shift ${jank[1].toFixed(4)}`)
assert(jank[1] < 0.1, "the page moves about")
await page.screenshot({ path: `${SHOTS}/large.png` })
await page.mouse.wheel(0, -9000)

// A real server that goes down is shown there, and no longer when it is up, without
// asking for the page.
let asked = 0
page.on("request", r => { if (new URL(r.url()).pathname === "/") asked++ })
for (const [shown, left] of [[1, "9 more"], [0, "10 more"]]) {
  await next("flap", LARGE)
  await page.waitForFunction(n => document.querySelectorAll("tr.r.down").length === n && document.querySelectorAll("tr.r").length === n, shown)
  assert.equal(await page.locator("tr.s button").first().textContent(), left)
}
await page.waitForFunction(() => document.body.dataset.behind === undefined)
const patched = await parts(page)
assert.equal(asked, 0)
await page.reload()
await page.getByRole("button", { name: "10 more" }).first().waitFor()
same(patched, await parts(page))
await page.getByRole("button", { name: "10 more" }).first().click()
await page.waitForFunction(() => document.querySelectorAll("tr.r").length === 10)
await page.close()

assert.deepEqual(complaints, [])
await browser.close()
