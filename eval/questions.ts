/** What is asked of the examples, and what is true about it. */
export interface Question {
  ask: string;
  /** The language it is asked in, ISO 639-1. */
  language: "en" | "it" | "de" | "fr" | "es";
  /** The example that answers it, and the page where there are pages. */
  file: string;
  page?: number;
  /** Words of the file at the place that answers it: a passage that holds them is the right one. */
  place: string;
  /** What every right answer says, in any language: numbers, codes, names. */
  facts: readonly string[];
}

const MANUAL = "larice-duo-manual.pdf";
const POLICY = "condizioni-reso-garanzia.docx";
const PRICES = "listino-prezzi-2026.xlsx";
const DELIVERY = "delivery-and-service.html";
const FAQ = "domande-frequenti.md";

const manual = (ask: string, page: number, place: string, ...facts: string[]): Question => ({
  ask,
  language: "en",
  file: MANUAL,
  page,
  place,
  facts,
});
const policy = (ask: string, place: string, ...facts: string[]): Question => ({
  ask,
  language: "it",
  file: POLICY,
  place,
  facts,
});
const prices = (language: "en" | "it", ask: string, place: string, ...facts: string[]): Question => ({
  ask,
  language,
  file: PRICES,
  place,
  facts,
});
const delivery = (ask: string, place: string, ...facts: string[]): Question => ({
  ask,
  language: "en",
  file: DELIVERY,
  place,
  facts,
});
const faq = (ask: string, place: string, ...facts: string[]): Question => ({
  ask,
  language: "it",
  file: FAQ,
  place,
  facts,
});

/** Asked in the language of the document that answers. */
export const ANSWERABLE: readonly Question[] = [
  manual("What fuse does the socket need?", 3, "fuse of at least 10 A", "10 A"),
  manual(
    "From what age may children use the machine?",
    3,
    "Children from the age of 8 and people with reduced",
    "8",
  ),
  manual("Where do I find the serial number?", 4, "printed on the plate behind the drip tray", "drip tray"),
  manual(
    "How much space must I leave behind the machine?",
    4,
    "10 cm behind the machine and 30 cm above it",
    "10 cm",
  ),
  manual("How big is the water tank?", 5, "Water tank 2.8 litres", "2.8"),
  manual("How heavy is the Larice Duo?", 5, "Weight, empty 21.6 kg", "21.6"),
  manual("How loud is the machine while brewing?", 5, "Noise while brewing 58 dB(A)", "58 dB"),
  manual(
    "What does an orange light on the dial mean?",
    6,
    "Orange: the machine needs you soon",
    "CLEAN",
    "SCALE",
  ),
  manual("How long does a filter cartridge last?", 7, "it lasts for 60 litres or three months", "60 litres"),
  manual(
    "Can I fill the tank with distilled water?",
    7,
    "Do not use distilled water or water from reverse osmosis",
    "distilled",
  ),
  manual("In which languages can the display be set?", 8, "There are English, Italian, German", "German"),
  manual(
    "How do I register my machine to extend the warranty?",
    8,
    "Register the serial number at www.larice.example/register",
    "30 days",
  ),
  manual(
    "How many grams of coffee go into a double espresso?",
    9,
    "Espresso, two cups 18 g 18 g 36 g",
    "18 g",
  ),
  manual(
    "My espresso tastes sour, what should I change?",
    9,
    "Sour, thin, under 20 seconds too coarse grind finer",
    "finer",
  ),
  manual("How warm should frothed milk get?", 10, "until the jug has 60 to 65 °C", "60", "65"),
  manual(
    "What temperature is recommended for a light roast?",
    11,
    "Light 94 to 96 °C acids need heat",
    "94 to 96",
  ),
  manual("How much electricity does it save to turn off the steam boiler?", 11, "saves about 40 %", "40 %"),
  manual(
    "How do I change the brewing pressure?",
    12,
    "clockwise raises the pressure, one full turn",
    "clockwise",
  ),
  manual(
    "After how many minutes does the machine go to stand-by?",
    13,
    "After 60 minutes without a coffee",
    "60 minutes",
  ),
  manual("How often must the group be cleaned with powder?", 14, "Every 200 coffees", "200"),
  manual(
    "How much descaling powder do I need?",
    15,
    "Dissolve two sachets (60 g) of descaling powder",
    "60 g",
  ),
  manual("Can I use vinegar for descaling?", 15, "Vinegar attacks the gaskets", "vinegar"),
  manual("How often should I replace the group gasket?", 16, "Group gasket, 8.5 mm", "12 months"),
  manual("How do I empty the boilers before transport?", 17, "Choose Care > Drain in the menu", "Drain"),
  manual("What does error E05 mean?", 18, "E05 A boiler is too hot", "too hot"),
  manual("The display shows E07, what now?", 18, "E07 The drip tray is missing or full", "drip tray"),
  manual("The coffee tastes of rubber, why?", 19, "Coffee tastes of rubber new gasket", "gasket"),
  manual(
    "Who do I call for service in London?",
    20,
    "call the desk in London at +44 20 7946 0142",
    "7946 0142",
  ),

  policy("Entro quanti giorni posso restituire la macchina?", "entro 30 giorni dalla consegna, senza", "30"),
  policy("Posso restituire una confezione di caffè aperta?", "se la confezione è stata aperta", "caffè"),
  policy("Quanto vale il codice di reso?", "codice di reso, valido per 14 giorni", "14"),
  policy(
    "Quanto costa la spedizione di un reso dalla Svizzera?",
    "Regno Unito e Svizzera 59,00 € 18,00 €",
    "59,00",
  ),
  policy(
    "Quando ricevo il rimborso?",
    "Il rimborso arriva entro 10 giorni lavorativi",
    "10 giorni lavorativi",
  ),
  policy("Quanto dura la garanzia delle caldaie?", "Caldaie 5 anni contro le perdite", "5 anni"),
  policy("Quanto dura la garanzia per una macchina usata in ufficio?", "Uso in ufficio o in", "12 mesi"),
  policy(
    "I danni del calcare sono coperti dalla garanzia?",
    "danni causati dal calcare o dal gelo",
    "calcare",
  ),
  policy("Quanto costa un preventivo fuori garanzia?", "il preventivo costa 45 €", "45"),
  policy("A che indirizzo mando un reclamo?", "Un reclamo si manda a", "reclami@larice.example"),

  prices("it", "Quanto costa la Larice Duo verde salvia?", "LD-2020 Larice Duo, verde salvia", "1,740.00"),
  prices("en", "What is the price of the Larice Uno in steel?", "LU-1000 Larice Uno, acciaio", "749.00"),
  prices("en", "How much is the refurbished Larice Duo?", "LD-2900 Larice Duo ricondizionata", "1,190.00"),
  prices("it", "Quanto costa il macinacaffè nero?", "Macinacaffè Larice Macina 58, nero", "459.00"),
  prices("it", "Prezzo della cartuccia filtrante", "Cartuccia filtrante per 60 litri", "18.90"),
  prices("en", "How much is LR-5160?", "LR-5160 Pompa a vibrazione", "58.00"),
  prices("it", "Quando torna disponibile la bilancia con cronometro?", "Bilancia con cronometro", "aprile"),
  prices("en", "What does the walnut handle set cost?", "Set of handles, walnut", "129.00"),
  prices("it", "Quanto costa un chilo di Bottega in grani?", "Bottega in grani, 1 kg", "22.90"),
  prices("en", "Price of the decaffeinated beans, 500 g", "CQ-500 Quiete decaffeinato", "14.50"),

  delivery("How long does delivery to Portugal take?", "Spain, Portugal €16.90 €44.00 5 to 7", "5 to 7"),
  delivery("What does it cost to send a parcel to Germany?", "Austria, Germany, France €12.90", "12.90"),
  delivery(
    "Do I have to pay customs in the United Kingdom?",
    "Customs and import VAT for the United Kingdom",
    "included",
  ),
  delivery(
    "Can the machine be carried up to my kitchen?",
    "Delivery to your kitchen, on any floor, costs €35 more",
    "35",
  ),
  delivery(
    "Within how many days must I report transport damage?",
    "damage must be reported within three days",
    "three days|3 days",
  ),
  delivery("When is the service centre in Lyon open?", "Lyon 12 rue du Mélèze Tue–Sat", "10:00–18:00"),
  delivery("How much is a check-up for the Larice Uno?", "The check-up costs €95", "95"),
  delivery(
    "What happens to a parcel that nobody accepts?",
    "wait at the carrier's shop",
    "seven days|7 days",
  ),

  faq("La macchina funziona con le capsule?", "Tutte le nostre macchine lavorano con caffè macinato", "No"),
  faq("Che cosa significa il codice E04?", "La caldaia del vapore non si è riempita", "90 secondi"),
  faq("Come posso pagare?", "Con carta di credito, PayPal, bonifico anticipato", "PayPal"),
  faq("Accettate il contrassegno?", "Non accettiamo il contrassegno", "contrassegno"),
  faq(
    "Fino a quando posso annullare un ordine?",
    "Fino alle 12:00 del giorno lavorativo successivo",
    "12:00",
  ),
  faq("Quanto costa far incidere un nome sulla macchina?", "L'incisione costa 35 €", "35"),
  faq("Qual è lo sconto dell'abbonamento?", "dal secondo invio c'è uno sconto del 10 %", "10 %"),
  faq("Quando si può visitare la fabbrica?", "ogni primo sabato del mese alle 10:00", "primo sabato"),
];

/** Asked in another language than the document's: without an embedding model, chance decides. Not in the thresholds. */
export const CROSS_LANGUAGE: readonly Question[] = [
  { ...manual("Wie schwer ist die Larice Duo?", 5, "Weight, empty 21.6 kg", "21"), language: "de" },
  { ...manual("Was bedeutet der Fehler E05?", 18, "E05 A boiler is too hot", "E05"), language: "de" },
  {
    ...delivery("Wie lange dauert die Lieferung nach Portugal?", "Spain, Portugal €16.90", "5"),
    language: "de",
  },
  { ...policy("Wie lange gilt die Garantie für die Kessel?", "Caldaie 5 anni contro", "5"), language: "de" },
  { ...manual("Combien pèse la Larice Duo R ?", 5, "Weight, empty 21.6 kg 24.3 kg", "24"), language: "fr" },
  {
    ...delivery("Quand le centre de Lyon est-il ouvert ?", "Lyon 12 rue du Mélèze", "10:00"),
    language: "fr",
  },
  { ...faq("Comment puis-je payer ?", "Con carta di credito, PayPal", "PayPal"), language: "fr" },
  { ...manual("¿Cuánto pesa la Larice Duo?", 5, "Weight, empty 21.6 kg", "21"), language: "es" },
  { ...delivery("¿Cuánto cuesta el envío a Portugal?", "Spain, Portugal €16.90", "16"), language: "es" },
  {
    ...policy("How many days do I have to return a machine?", "entro 30 giorni dalla", "30"),
    language: "en",
  },
  { ...faq("What discount does the subscription give?", "uno sconto del 10 %", "10"), language: "en" },
  { ...manual("Quanto pesa la Larice Duo?", 5, "Weight, empty 21.6 kg", "21"), language: "it" },
];

/** About things that the documents never touch. */
export const OFF_TOPIC: readonly string[] = [
  "What is the capital of Mongolia?",
  "Who won the football world cup in 1998?",
  "How do I renew my passport?",
  "Which vaccines does my puppy need?",
  "Can you recommend a hairdresser for curly hair?",
  "What interest rate applies to my mortgage?",
  "Chi ha dipinto la Gioconda?",
  "Quali vaccini servono al mio gatto?",
  "A che ora parte il treno per Vienna?",
  "Come si coltivano i pomodori sul balcone?",
  "Quanto guadagna un insegnante?",
  "Qual è il farmaco migliore contro il mal di testa?",
];

/** In the words of the documents, about what they do not say: telling these takes a model that reads. */
export const NEAR_TOPIC: readonly string[] = [
  "Does the Larice Duo have Wi-Fi?",
  "Is there an app for the Larice Duo?",
  "What does the Larice Trio cost?",
  "Do you deliver to Norway?",
  "Who is the managing director of Officine Larice?",
  "La Larice Duo esiste in rosso?",
  "Avete un negozio a Roma?",
  "Posso pagare in bitcoin?",
];
