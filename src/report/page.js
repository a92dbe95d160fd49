// The page of a run that is being trained: it asks how far training is, and takes the page's body
// anew when there is something new in it.
const body = document.querySelector("main"), live = document.querySelector("#live");
let version = null, ended = false;

function openDetails() {
  return new Set([...body.querySelectorAll("details[open]")].map((d) => d.id));
}

async function refresh() {
  const answer = await fetch("main.html", { cache: "no-store" });
  if (!answer.ok) return;
  const open = openDetails();
  body.innerHTML = await answer.text();
  for (const d of body.querySelectorAll("details")) d.open = d.open || open.has(d.id);
}

async function poll() {
  try {
    const state = await (await fetch("progress.json", { cache: "no-store" })).json();
    live.textContent = state.text;
    if (state.version !== version) {
      await refresh();
      version = state.version;
    }
    ended = state.ended;
  } catch (error) {
    live.textContent = "training has ended, or cannot be reached";
    ended = true;
  }
  if (!ended) setTimeout(poll, 1000);
}
poll();
