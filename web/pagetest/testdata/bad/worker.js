if (location.hash === "#error") console.error("said on purpose");
if (location.hash === "#reject") Promise.reject(new Error("rejected on purpose"));
if (location.hash === "#foreign") fetch("http://127.0.0.1:9/elsewhere").catch(() => {});
