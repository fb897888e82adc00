/** Given and family names that go together, and how many of the people bear such names. */
export interface Culture {
  readonly weight: number;
  readonly first: readonly string[];
  readonly last: readonly string[];
}

function culture(weight: number, first: string, last: string): Culture {
  return { weight, first: first.split(" "), last: last.split(" ") };
}

export const CULTURES: readonly Culture[] = [
  culture(
    26,
    "James Emily Oliver Charlotte William Grace Thomas Hannah Daniel Megan Henry Alice George Lucy Edward Sarah Samuel Rachel Benjamin Laura Matthew Claire Andrew Rebecca Peter Helen Simon Naomi Robert Julia Philip Amy",
    "Walker Bennett Hughes Foster Marsh Cooper Reid Palmer Sutton Barker Ellis Lawson Grant Holloway Pearce Whitfield Chapman Norris Fletcher Doyle Osborne Carver Hartley Blake Winslow Thornton Lowe Spencer Kerr Dalton Maddox Ashby",
  ),
  culture(
    12,
    "José María Carlos Lucía Miguel Sofía Javier Valentina Diego Camila Andrés Isabel Luis Elena Fernando Paula Alejandro Carmen Rafael Gabriela",
    "García Hernández López Martínez Rodríguez Morales Vargas Castillo Ramírez Ortega Navarro Delgado Fuentes Ibáñez Peña Salazar Quintero Muñoz Rojas Cabrera",
  ),
  culture(
    8,
    "Lukas Anna Felix Katharina Jonas Lena Maximilian Sophie Jürgen Greta Stefan Heike Matthias Ulrike Florian Sabine",
    "Müller Schneider Weber Becker Hoffmann Krüger Vogel Lehmann Brandt Schäfer Winkler Böhm Ziegler Kühn Pfeiffer Sommer",
  ),
  culture(
    7,
    "Pierre Camille Antoine Élodie Julien Manon Mathieu Chloé Étienne Margaux Nicolas Inès Benoît Céline Rémi Sylvie",
    "Dubois Laurent Moreau Lefèvre Girard Roux Fontaine Chevalier Mercier Blanchard Gauthier Perrin Marchand Renaud Lemoine Boucher",
  ),
  culture(
    6,
    "Piotr Agnieszka Łukasz Magdalena Tomasz Katarzyna Paweł Zofia Michał Ewa Krzysztof Joanna",
    "Kowalski Nowak Wiśniewski Wójcik Kamiński Zieliński Mazur Dąbrowski Piotrowski Grabowski Sikora Baran",
  ),
  culture(
    12,
    "Aarav Priya Rohan Ananya Vikram Deepa Arjun Kavita Sanjay Meera Rahul Divya Nikhil Lakshmi Amit Sneha Karthik Pooja Suresh Nisha",
    "Sharma Patel Iyer Reddy Nair Gupta Mehta Rao Chatterjee Singh Desai Krishnan Banerjee Kulkarni Joshi Menon Bhat Kapoor Verma Pillai",
  ),
  culture(
    9,
    "Wei Mei Jun Xiaoling Hao Yan Lei Jing Ming Hui Qiang Fang Bo Ying Tao Lan",
    "Chen Wang Li Zhang Liu Yang Huang Zhao Wu Zhou Xu Sun Lin Guo He Tang",
  ),
  culture(
    6,
    "Chidi Ngozi Emeka Adaeze Tunde Folake Kwame Abena Sipho Thandiwe Kofi Amara Oluwaseun Zanele Babajide Nkechi",
    "Okafor Adeyemi Mensah Nwosu Dlamini Boateng Eze Balogun Nkosi Asante Okonkwo Afolabi Mbeki Owusu Obi Ndlovu",
  ),
  culture(
    6,
    "Omar Layla Yusuf Fatima Karim Amina Hassan Noor Tariq Salma Ibrahim Rania Khalid Mariam",
    "Haddad Al-Masri Khalil Rahman Nasser Aziz Farouk Mansour Saleh Hamdan Karimi Abbas Najjar Qureshi",
  ),
  culture(
    5,
    "Erik Ingrid Lars Astrid Søren Freja Mikko Aino Gustav Linnea Henrik Sigrid Åse Bjørn",
    "Lindqvist Johansson Nielsen Korhonen Bergström Solberg Andersen Virtanen Halvorsen Sørensen Ekström Dahl Nygård Lund",
  ),
  culture(
    5,
    "Minh Linh Duc Thao Quang Huong Tuan Mai Khanh Trang",
    "Nguyen Tran Pham Vu Hoang Bui Dang Do Ngo Truong",
  ),
  culture(
    4,
    "Haruto Yuki Kenji Aiko Ji-hoon Seo-yeon Min-jun Hana Takumi Soo-jin",
    "Tanaka Suzuki Yamamoto Kim Park Choi Nakamura Kobayashi Jung Ito",
  ),
  culture(
    4,
    "João Beatriz Tiago Mariana Pedro Inês Gustavo Larissa Rui Fernanda",
    "Silva Santos Ferreira Almeida Carvalho Ribeiro Gonçalves Teixeira Araújo Barbosa",
  ),
  culture(
    4,
    "Marco Giulia Alessandro Chiara Emre Ayşe Luca Francesca Mehmet Elif Dimitris Eleni",
    "Rossi Bianchi Romano Yılmaz Kaya Conti Ricci Demir Papadopoulos Marini Şahin Georgiou",
  ),
];

/** First names that turn up everywhere: they make two people of one name rarer, as immigration does. */
export const MIXED_SHARE = 0.22;

/** Letters that Unicode does not take apart into a plain one and an accent. */
const PLAIN: Readonly<Record<string, string>> = {
  ß: "ss",
  ø: "o",
  ł: "l",
  đ: "d",
  ı: "i",
  å: "a",
  æ: "ae",
};

/** A name as it stands in a mail address: lower case, plain letters. */
export function plainName(name: string): string {
  const lower = name.toLowerCase().replace(/[ßøłđıåæ]/g, (letter) => PLAIN[letter] ?? letter);
  return lower.normalize("NFD").replace(/[^a-z]/g, "");
}
