// Dragging over a graph shows that time alone. It also draws the graphs in the
// theme that was chosen on the page, and anew as time goes on.
const graphs = document.querySelector(".graphs")
let from = Number(graphs.dataset.from)
let to = Number(graphs.dataset.to)
const shortest = 60 // seconds
const stamp = seconds => new Date(seconds * 1000).toISOString().replace(".000", "")

document.getElementById("zoomhelp").hidden = false

// usual is where the time axis of a picture begins and ends, as shares of its width,
// until it has told.
const usual = img => {
  const width = img.naturalWidth || 900
  return { left: 60 / width, right: (width - 18) / width }
}

// plot asks the picture itself.
async function plot(img) {
  const src = img.currentSrc || img.src
  const answer = await fetch(src).catch(() => null)
  const told = answer?.ok && /data-plot="([\d.]+) ([\d.]+)"/.exec(await answer.text())
  const width = img.naturalWidth || 900
  return told ? { left: told[1] / width, right: told[2] / width, src } : usual(img)
}

function drag(figure, img) {
  let axis = usual(img)
  let asking = null
  let begun = null
  const mark = document.createElement("div")
  mark.className = "span"
  mark.hidden = true
  figure.append(mark)
  const look = () => {
    if (axis.src !== (img.currentSrc || img.src)) asking = plot(img).then(told => { axis = told })
  }
  const share = event => {
    const box = img.getBoundingClientRect()
    return (event.clientX - box.left) / box.width
  }
  const span = (...ends) => ends.map(s => Math.min(Math.max(s, axis.left), axis.right)).sort((a, b) => a - b)
  const end = () => {
    begun = null
    mark.hidden = true
  }
  img.addEventListener("pointerenter", look)
  img.addEventListener("pointerdown", event => {
    if (event.button !== 0) return
    event.preventDefault()
    img.setPointerCapture(event.pointerId)
    begun = share(event)
  })
  img.addEventListener("pointermove", event => {
    if (begun === null) return
    const ends = span(begun, share(event))
    Object.assign(mark.style, {
      left: `${img.offsetLeft + ends[0] * img.offsetWidth}px`, width: `${(ends[1] - ends[0]) * img.offsetWidth}px`,
      top: `${img.offsetTop}px`, height: `${img.offsetHeight}px`,
    })
    mark.hidden = false
  })
  img.addEventListener("pointercancel", end)
  img.addEventListener("pointerup", async event => {
    if (begun === null) return
    const dragged = [begun, share(event)]
    end()
    await asking // a drag may be over before the picture has told
    const ends = span(...dragged)
    if (ends[1] - ends[0] < 0.01) return // a click
    const time = s => Math.round(from + (s - axis.left) / (axis.right - axis.left) * (to - from))
    const asked = new URLSearchParams(location.search)
    const start = time(ends[0])
    asked.set("start", stamp(start))
    asked.set("end", stamp(Math.max(time(ends[1]), start + shortest)))
    location.search = asked
  })
}

function paint() {
  const { theme } = document.documentElement.dataset
  if (!theme) return
  for (const img of graphs.querySelectorAll("img")) {
    img.parentNode.querySelector("source")?.remove()
    const url = new URL(img.src)
    url.searchParams.set("theme", theme)
    img.src = url
  }
}

// follow draws graphs that end now anew, once in a minute or where something would
// be another pixel: up to the latest sample, and so in the agent's time. Not while
// somebody is about to drag.
const sampled = () => Date.parse(document.getElementById("tick").dateTime) / 1000
let drawn = sampled()
function follow() {
  const later = sampled() - drawn
  if (document.hidden || !(later >= Math.max(60, (to - from) / 900)) || graphs.matches(":hover")) return
  drawn += later
  from += later
  to += later
  const moved = href => {
    const url = new URL(href, document.baseURI)
    for (const name of ["start", "end"]) url.searchParams.set(name, stamp(Date.parse(url.searchParams.get(name)) / 1000 + later))
    return url.href
  }
  for (const img of graphs.querySelectorAll("img")) {
    const source = img.parentNode.querySelector("source")
    if (source) source.srcset = moved(source.getAttribute("srcset"))
    img.src = moved(img.src)
  }
  for (const link of document.querySelectorAll("a.button")) link.href = moved(link.href)
  const span = document.getElementById("span")
  const words = seconds => stamp(seconds).replace("T", " ").replace("Z", "")
  span.textContent = `${words(from)} to ${words(to)} UTC${span.textContent.slice(span.textContent.lastIndexOf(","))}`
}

// again asks once more for a picture that did not come: the agent answers two
// questions about the history at a time, and sends others away after a while.
function again(img) {
  let left = 5
  const retry = () => {
    if (left-- === 0) return
    setTimeout(() => {
      const source = img.parentNode.querySelector("source")
      if (source) source.srcset = source.getAttribute("srcset")
      img.src = img.getAttribute("src")
    }, 2500)
  }
  img.addEventListener("error", retry)
  img.addEventListener("load", () => { left = 5 })
  if (img.complete && img.currentSrc && img.naturalWidth === 0) retry()
}

for (const figure of graphs.querySelectorAll("figure")) {
  const img = figure.querySelector("img")
  drag(figure, img)
  again(img)
}
paint()
if ("follow" in graphs.dataset) setInterval(follow, 1000)
document.addEventListener("themechange", paint)
