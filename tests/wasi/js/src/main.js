// Tries to reach what it is told to, by the means that JavaScript has.

const tries = {
    http: async (address) => (await fetch(`http://${address}/`)).status,
    random: () => crypto.randomUUID(),
    clock: () => Date.now(),
    stdout: () => console.log("written"),
};

export const probe = {
    greet: (name) => `Hello, ${name}!`,

    async reach(what, address) {
        try {
            return String(await tries[what](address));
        } catch (error) {
            throw String(error);
        }
    },
};
