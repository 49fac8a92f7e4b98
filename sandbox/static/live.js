// Keeps the open page up to date: every other second the page is fetched again and
// each [data-live] part that changed is put in place. A part in which somebody is
// typing, or an element that has the focus, is left alone until the next round.
(() => {
    "use strict";
    const PAUSE = 2000; // milliseconds
    const parts = () => document.querySelectorAll("[data-live]");
    if (!parts().length) return;

    const isBusy = (part) => {
        const active = document.activeElement;
        const typed = [...part.querySelectorAll("input")].some((input) => input.value);
        return typed || (part.contains(active) && active.matches("input"));
    };

    const refresh = async () => {
        const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
        if (!answer.ok) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const part of parts()) {
            const news = fresh.getElementById(part.id);
            if (!news || news.innerHTML === part.innerHTML || isBusy(part)) continue;
            const focused =
                part.contains(document.activeElement) && document.activeElement;
            part.innerHTML = news.innerHTML;
            if (!focused) continue;
            const href = focused.getAttribute("href");
            const same = focused.id
                ? document.getElementById(focused.id)
                : href && part.querySelector(`a[href="${CSS.escape(href)}"]`);
            if (same) same.focus();
        }
    };

    const tick = async () => {
        if (document.visibilityState === "visible") {
            try {
                await refresh();
            } catch {
                // The sandbox is away; it may come back.
            }
        }
        setTimeout(tick, PAUSE);
    };
    setTimeout(tick, PAUSE);
})();
